"""Says what the release loop did, in the audit and on `model-events`: each event once, before anything else is done."""

from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.audit.chain import Entry
from models.audit.log import AuditLog
from models.errors import FraudstreamError
from models.registry import CHALLENGER, CHAMPION
from models.schema import wire
from models.schema.cloud_event import CloudEvent, CloudEventError
from models.schema.model_event import VERDICTS, ModelEvent
from models.schema.topics import TopicNames
from stream_app.acknowledged_producer import AcknowledgedProducer
from stream_app.watermarks import ANSWER_S, watermarks

TAIL_RECORDS: Final = 1_000
"""How far back ids are looked up at a start: only the event that was under way at a crash can come again."""
TYPE_PREFIX: Final = "model."
_OF_A_CANDIDATE: Final = frozenset({"shadow started", "canary started", "withdrawn"})


class AnnouncementError(FraudstreamError):
    """Raised when the broker does not say which events there are."""


def context_of(event: ModelEvent) -> CloudEvent:
    """Return what stands in the headers of an event.

    Examples
    --------
    >>> about = {"before": "m-1", "cause": "better", "checks": (), "as_of": 7, "release": "r", "incident": "i"}
    >>> event = ModelEvent(kind="promoted", version="m-2", request_id="q", actor="release", sequence=3, **about)
    >>> context = context_of(event)
    >>> context.type, context.subject, context.correlation_id, context.causation_id
    ('model.promoted', 'm-2', 'i', 'q')
    """
    return CloudEvent(
        id=event.event_id,
        type=TYPE_PREFIX + event.kind.replace(" ", "-"),
        source=event.actor,
        time_ms=event.as_of,
        subject=event.version,
        correlation_id=event.correlation_id,
        causation_id=event.request_id,
    )


def entry_of(event: ModelEvent) -> Entry:
    """Return what the audit says of an event: who decided what and why, and the hash of the event with its figures."""
    return Entry(
        kind="gate-verdict" if event.kind in VERDICTS else "release",
        actor=event.actor,
        reason=event.cause or event.kind,
        subject=event.version,
        details={
            "event": event.kind,
            "before": event.before,
            "release": event.release,
            "request_id": event.request_id,
            "incident": event.incident,
            "alias_sequence": event.alias_sequence,
            "event_sequence": event.sequence,
            "event_hash": event.hash,
        },
        event_id=event.event_id,
    )


class Announcer:
    """Writes to the audit and to `model-events`.

    Parameters
    ----------
    broker: Kafka's address.
    topics: names of the topics.
    audit: the audit, which publishes what is in it itself.
    """

    def __init__(self, broker: str, topics: TopicNames, audit: AuditLog) -> None:
        self._audit = audit
        self._topic = topics.model_events
        self._producer = AcknowledgedProducer(broker, ANSWER_S)
        self._published = _published_ids(broker, self._topic)

    def publish(self, event: ModelEvent) -> None:
        """Write and send an event unless it is there, and wait; raises DeliveryError without an answer."""
        self._audit.append(entry_of(event))
        context = context_of(event)
        if context.id in self._published:
            return
        key = CHALLENGER if event.kind in _OF_A_CANDIDATE else CHAMPION
        self._producer.send(self._topic, wire.encode(event), key.encode(), context.headers())
        self._producer.settle()
        self._published.add(context.id)


def _published_ids(broker: str, topic: str) -> set[str]:
    """Return the ids of the last events on a topic of one partition."""
    consumer = Consumer(
        {
            **confluent_settings(broker),
            "group.id": "fraudstream-model-events",  # asked for by the client; nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
        }
    )
    ids: set[str] = set()
    try:
        first, end = watermarks(consumer, topic, 0)
        consumer.assign([TopicPartition(topic, 0, max(first, end - TAIL_RECORDS))])
        while True:
            message = consumer.poll(ANSWER_S)
            if message is None:
                raise AnnouncementError(f"{broker} did not answer within {ANSWER_S:g} s what {topic} holds")
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                    return ids
                raise AnnouncementError(f"reading {topic}: {error.str()}")
            ids |= _id(message)
    finally:
        consumer.close()


def _id(message: Message) -> set[str]:
    try:
        headers = message.headers() or []
        return {CloudEvent.read(headers.items() if isinstance(headers, dict) else headers).id}
    except CloudEventError:  # somebody else's record, which cannot be one of ours
        return set()
