"""All that was ever readable of a topic, read in pieces: what is deleted later stays here, as it does with a reader."""

import time
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from stream_app.topic_admin import describe_topics

_ANSWER_S: Final = 15.0
_END_S: Final = 60.0


class TopicLogError(FraudstreamError):
    """Raised when a topic cannot be read to its end."""


class TopicLog:
    """Reads every partition from the beginning, committed records only.

    Parameters
    ----------
    broker, topic: where.
    """

    def __init__(self, broker: str, topic: str) -> None:
        self._broker = broker
        self.topic = topic
        self.records: dict[int, list[Message]] = {}
        self._next: dict[int, int] = {}
        self._consumer: Consumer | None = None

    def read(self) -> None:
        """Read up to the present end of each partition."""
        consumer = self._open()
        ends = {}
        for partition in self._next:
            low, high = self._watermarks(consumer, partition)
            self._next[partition] = max(self._next[partition], low)
            if high > self._next[partition]:
                ends[partition] = high
        if not ends:
            return
        consumer.assign([TopicPartition(self.topic, partition, self._next[partition]) for partition in ends])
        until = time.monotonic() + _END_S
        while ends:
            self._take(consumer)
            for partition, position in ((p, consumer.position([TopicPartition(self.topic, p)])[0]) for p in list(ends)):
                if position.offset >= ends[partition]:
                    self._next[partition] = position.offset
                    del ends[partition]
            if time.monotonic() > until:
                raise TopicLogError(f"{self.topic} could not be read to its end within {_END_S:.0f} s: {ends}")

    def _watermarks(self, consumer: Consumer, partition: int) -> tuple[int, int]:
        """First offset and end; asked again for a while when a broker has just come back."""
        until = time.monotonic() + _ANSWER_S
        while True:
            try:
                return consumer.get_watermark_offsets(TopicPartition(self.topic, partition), timeout=_ANSWER_S)
            except KafkaException as error:
                if time.monotonic() > until:
                    raise TopicLogError(f"{self.topic}[{partition}]: {error.args[0].str()}") from error
            time.sleep(0.2)

    def watermarks(self) -> dict[int, int]:
        """Return the present end of each partition, without reading."""
        consumer = self._open()
        return {partition: self._watermarks(consumer, partition)[1] for partition in self._next}

    @property
    def ends(self) -> dict[int, int]:
        """Behind the last record read of each partition."""
        return dict(self._next)

    def _take(self, consumer: Consumer) -> None:
        try:
            messages = consumer.consume(10_000, 0.1)
        except KafkaException as error:
            raise TopicLogError(f"{self.topic}: {error.args[0].str()}") from error
        for message in messages:
            told = message.error()
            if told is None:
                self.records.setdefault(message.partition() or 0, []).append(message)
            elif told.fatal() or told.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicLogError(f"{self.topic}: {told.str()}")

    def _open(self) -> Consumer:
        partitions = describe_topics(self._broker, [self.topic])[self.topic].partitions
        if partitions != len(self._next):
            self.close()  # a client learns of new partitions only now and then
        for partition in range(partitions):
            self._next.setdefault(partition, 0)
        if self._consumer is None:
            self._consumer = Consumer(
                {
                    **confluent_settings(self._broker),
                    "group.id": "none",
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": 20,
                    "max.partition.fetch.bytes": 8 << 20,
                    "log_level": 0,
                }
            )
        return self._consumer

    def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
