"""What goes through a worker under measurement: transactions sent as fast as the broker takes them, scores received."""

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, Producer

from bench.profiles import ProfileRecord
from bench.worker import Worker
from models.schema.topics import TopicNames

DEADLINE_S = 300.0


class Traffic:
    """The sender and the reader of one round.

    Parameters
    ----------
    broker: Kafka's address.
    topics: of the round.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self._topics = topics
        self._producer = Producer(
            {
                "bootstrap.servers": broker,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "queue.buffering.max.messages": 2_000_000,
                "queue.buffering.max.kbytes": 1_000_000,
                "log_level": 0,
            }
        )
        self._reader = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": f"{topics.prefix}reader",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        self._reader.subscribe([topics.scores])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._reader.close()

    def send(self, messages: Iterable[tuple[bytes, bytes]]) -> None:
        """Send transactions."""
        self._produce(self._topics.transactions, messages)

    def state(self, labels: Iterable[tuple[bytes, bytes]]) -> None:
        """Send labels."""
        self._produce(self._topics.labels, labels)

    def profile(self, records: Iterable[ProfileRecord]) -> None:
        """Send what a profile keeper wrote, each to the partition that it lay in."""
        for partition, key, value, headers in records:
            self._producer.produce(self._topics.profiles, value, key, partition, headers=headers)
        self._producer.poll(0)

    def receive(self, worker: Worker, count: int) -> int:
        """Wait for so many scores; return how many there were, which may be more."""
        received, until = 0, time.monotonic() + DEADLINE_S
        while received < count:
            received += len(self._reader.consume(10_000, timeout=0.05))
            worker.require_alive()
            if time.monotonic() > until:
                raise TimeoutError(f"{received} of {count} scores within {DEADLINE_S:.0f} s")
        return received

    def _produce(self, topic: str, messages: Iterable[tuple[bytes, bytes]]) -> None:
        for key, value in messages:
            self._producer.produce(topic, value, key)
        self._producer.poll(0)
