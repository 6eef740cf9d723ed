"""Everything that was ever readable of a topic, kept in memory in each partition's order."""

import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from stream_app.topic_admin import describe_topics


class TopicRecorder:
    """Reads all partitions from their beginning, committed records only, and remembers them.

    What it has read stays here when the topic is emptied, as it stays with a consumer.
    """

    def __init__(self, broker: str, topic: str) -> None:
        self.topic = topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "none",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "max.partition.fetch.bytes": 8 << 20,
            }
        )
        partitions = describe_topics(broker, [topic])[topic].partitions
        self.records: dict[int, list[Message]] = {partition: [] for partition in range(partitions)}
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])

    def read(self, timeout_s: float = 0.1) -> int:
        """Take what has come; return how many records that were."""
        new = 0
        for message in self._consumer.consume(10_000, timeout_s):
            error = message.error()
            if error is None:
                self.records[message.partition() or 0].append(message)
                new += 1
            elif error.code() != KafkaError._PARTITION_EOF:
                raise AssertionError(f"{self.topic}: {error.str()}")
        return new

    def read_until(self, enough: Callable[[], bool], deadline_s: float, what: Callable[[], str]) -> None:
        """Read until something holds."""
        until = time.monotonic() + deadline_s
        while not enough():
            assert time.monotonic() < until, f"{self.topic}, not within {deadline_s:g} s: {what()}"
            self.read()

    def read_to_end(self, deadline_s: float = 30.0) -> None:
        """Read all there is now."""
        until = time.monotonic() + deadline_s
        for partition in self.records:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(self.topic, partition), timeout=10)
            while self._position(partition) < end:
                assert time.monotonic() < until, f"{self.topic}[{partition}] could not be read to {end}"
                self.read(0.05)

    def _position(self, partition: int) -> int:
        position = self._consumer.position([TopicPartition(self.topic, partition)])[0].offset
        if position >= 0:
            return position
        low, high = self._consumer.get_watermark_offsets(TopicPartition(self.topic, partition), timeout=10)
        return high if low == high else 0

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
