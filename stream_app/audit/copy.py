"""Reads the topic `audit`: the chain as Kafka holds it, repeats left out."""

from collections.abc import Iterator
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.audit.anchor import Anchor
from models.audit.chain import AuditError, decoded
from models.schema.audit_record import AuditRecord
from stream_app.watermarks import ANSWER_S, watermarks

ANCHOR_HEADER: Final = "anchor"
"""Header with the signed head at this record."""
_TAIL: Final = 100


class KafkaCopy:
    """What one read of the topic has found.

    Attributes
    ----------
    records: in order, each once; their chain is not checked.
    anchor: the last signed head, None where none is signed.
    """

    def __init__(self, messages: Iterator[Message]) -> None:
        self.records: list[AuditRecord] = []
        self.anchor: Anchor | None = None
        for message in messages:
            self._take(message)

    def _take(self, message: Message) -> None:
        (record,) = decoded([message.value() or b""], f"Kafka at offset {message.offset()}")
        if not self.records or record.sequence > self.records[-1].sequence:
            self.records.append(record)
            text = _header(message, ANCHOR_HEADER)
            if text is not None:
                self.anchor = Anchor.read(text)
        elif record not in self.records[record.sequence - self.records[0].sequence :][:1]:
            raise AuditError(
                f"audit record {record.sequence} stands twice in Kafka with different content, the second time at "
                f"offset {message.offset()}: put in"
            )


def read_copy(broker: str, topic: str) -> KafkaCopy:
    """Read the whole topic; raises AuditError for what is no record, and for a record that is there twice and differs.

    A record whose number is not above the last one's is a repeat: publishers send at least once, in order.
    """
    return KafkaCopy(_messages(broker, topic, None))


def read_tail(broker: str, topic: str) -> AuditRecord | None:
    """Return the record with the highest number, None from an empty topic; looks at the last records only."""
    found = [decoded([message.value() or b""], "Kafka")[0] for message in _messages(broker, topic, _TAIL)]
    return max(found, key=lambda record: record.sequence, default=None)


def _messages(broker: str, topic: str, last: int | None) -> Iterator[Message]:
    consumer = Consumer(
        {
            **confluent_settings(broker),
            "group.id": "none",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 10,
        }
    )
    try:
        first, end = watermarks(consumer, topic, 0)
        consumer.assign([TopicPartition(topic, 0, first if last is None else max(first, end - last))])
        while True:
            message = consumer.poll(ANSWER_S)
            if message is None:
                raise AuditError(f"{broker} did not answer within {ANSWER_S:g} s what {topic} holds; is Kafka up?")
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                return
            else:
                raise AuditError(f"reading {topic}: {error.str()}")
    finally:
        consumer.close()


def _header(message: Message, name: str) -> str | None:
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    found = next((value for key, value in pairs if key == name), None)
    return found.decode("ascii", "replace") if isinstance(found, bytes) else found
