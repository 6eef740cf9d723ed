"""Brings Kafka's copy of the audit up to what Redis holds: an outbox, whose cursor is the copy itself."""

import logging
from itertools import pairwise
from typing import Final

from models.audit.anchor import Anchor
from models.audit.chain import AuditError, check_chain
from models.audit.log import AuditLog
from models.schema.audit_record import AuditRecord
from models.schema.cloud_event import CloudEvent
from models.schema.topics import TopicNames
from models.signing import SigningKey
from stream_app.acknowledged_producer import AcknowledgedProducer, DeliveryError
from stream_app.audit.copy import ANCHOR_HEADER, read_copy, read_tail

log = logging.getLogger(__name__)

ANSWER_S: Final = 30.0
_BATCH: Final = 500


class AuditPublisher:
    """Sends every record at least once and in order; readers drop repeats by number.

    A record is in Redis before it is here, and what Kafka has is asked of Kafka: killed anywhere, the next one goes on
    behind the last record on the topic. Several may run at once; each sends in order from what Kafka had, so what a
    reader keeps is in order too.

    Parameters
    ----------
    broker: Kafka's address.
    topics: names of the topics.
    audit: the chain in Redis.
    key: signs the head with each record, if there is one: who rewrites Redis and Kafka cannot sign again.
    """

    def __init__(self, broker: str, topics: TopicNames, audit: AuditLog, key: SigningKey | None = None) -> None:
        self._broker = broker
        self._topic = topics.audit
        self._audit = audit
        self._key = key
        self._producer: AcknowledgedProducer | None = None
        self._last: AuditRecord | None = None

    def publish(self) -> int:
        """Send what is not there yet and wait until it is acknowledged; return how many records that were.

        Raises
        ------
        AuditError: Redis does not continue what Kafka holds: its audit was lost, cut or rewritten.
        DeliveryError: Kafka has not acknowledged; the next call begins with what Kafka has.
        """
        if self._producer is None:
            self._last = self._continued()
            self._producer = AcknowledgedProducer(self._broker, ANSWER_S)
        sent = 0
        while records := self._next():
            try:
                for record in records:
                    self._send(self._producer, record)
                self._producer.settle()
            except DeliveryError:
                self._producer = None
                raise
            self._last = records[-1]
            self._audit.mark_published(self._last.sequence)
            sent += len(records)
        return sent

    def _next(self) -> list[AuditRecord]:
        """What follows the last record sent; that one must still be in Redis as it was."""
        if self._last is None:
            records = self._audit.records(1, _BATCH)
            check_chain(records, "Redis")
            return records
        found = self._audit.records(self._last.sequence, _BATCH + 1)
        if not found or found[0] != self._last:
            raise _lost(self._last)
        for one, next_one in pairwise(found):
            if (next_one.sequence, next_one.previous_hash) != (one.sequence + 1, one.hash):
                raise AuditError(f"audit record {next_one.sequence} in Redis does not follow the one before it")
        return found[1:]

    def _continued(self) -> AuditRecord | None:
        """Where Kafka's copy ends, once Redis has that record too."""
        # In this order: another publisher may be at work.
        published = self._audit.published
        tail = read_tail(self._broker, self._topic)
        if published > (0 if tail is None else tail.sequence):
            # Kafka has lost what it acknowledged; what is left of it is checked as a whole before it is added to.
            copy = read_copy(self._broker, self._topic).records
            tail = check_chain(copy, "Kafka")
            log.warning(
                "Kafka had acknowledged audit record %d and ends at %d: it is sent again from there",
                published,
                0 if tail is None else tail.sequence,
            )
        if tail is not None and self._audit.records(tail.sequence, 1) != [tail]:
            raise _lost(tail)
        if tail is not None:
            self._audit.mark_published(tail.sequence)
        return tail

    def _send(self, producer: AcknowledgedProducer, record: AuditRecord) -> None:
        context = CloudEvent(
            id=record.hash,
            type=f"audit.{record.kind}",
            source=record.actor,
            time_ms=record.time_ms,
            subject=record.subject,
            correlation_id=record.event_id or record.hash,
        )
        headers = context.headers()
        if self._key is not None:
            headers.append((ANCHOR_HEADER, str(Anchor.of(record, self._key)).encode()))
        producer.send(self._topic, record.canonical(), None, headers)


def _lost(tail: AuditRecord) -> AuditError:
    return AuditError(
        f"Kafka's audit ends at record {tail.sequence} ({tail.hash[:12]}…), and Redis does not have it: Redis was "
        "lost, cut or rewritten; fraudstream audit verify tells which, fraudstream models restore rebuilds it"
    )
