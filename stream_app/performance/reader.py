"""Reads all records of the topic `performance`, each event once."""

from collections.abc import Iterator
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema import wire
from models.schema.performance import Performance
from stream_app.topic_admin import describe_topics

_SILENCE_S: Final = 15.0


class PerformanceTopicError(FraudstreamError):
    """Raised when the topic cannot be read to its end."""


def read_performance(broker: str, topic: str) -> list[Performance]:
    """Return the records from the topic's beginning to its end, in their order.

    An event that was published twice, after a crash, is returned once.

    Raises
    ------
    BrokerUnreachableError, UnknownTopicError: naming the address or the topic.
    PerformanceTopicError: when the broker stops answering.
    RecordError: for a record that is none of performance.
    """
    partitions = describe_topics(broker, [topic])[topic].partitions
    consumer = Consumer(
        {
            **confluent_settings(broker),
            "group.id": "fraudstream-performance",  # asked for by the client; nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)])
        records = {record.event_id: record for record in _to_the_end(consumer, topic, partitions)}
    finally:
        consumer.close()
    return list(records.values())


def _to_the_end(consumer: Consumer, topic: str, partitions: int) -> Iterator[Performance]:
    open_partitions = set(range(partitions))
    while open_partitions:
        message = consumer.poll(_SILENCE_S)
        if message is None:
            raise PerformanceTopicError(f"{topic}: the broker has not answered for {_SILENCE_S:g} s; is it up?")
        error = message.error()
        if error is None:
            yield wire.decode(Performance, message.value() or b"")
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
            open_partitions.discard(message.partition() or 0)
        else:
            raise PerformanceTopicError(f"reading {topic}: {error.str()}")
