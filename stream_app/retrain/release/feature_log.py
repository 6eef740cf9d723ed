"""The feature log as the release loop reads it: all partitions, from where a stage began."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from stream_app.topic_admin import describe_topics
from stream_app.watermarks import watermarks

FETCH_WAIT_MS: Final = 50
PARTITION_FETCH_BYTES: Final = 8 << 20
"""The largest message of `features`."""
QUEUED_KB: Final = 32 << 10
READ_MESSAGES: Final = 500


class FeatureLogError(FraudstreamError):
    """Raised when the broker refuses what the release loop asks."""


class FeatureLog:
    """A consumer without a group: its positions are part of the release's state.

    Parameters
    ----------
    broker: Kafka's address.
    topic: full name of the feature log.
    """

    def __init__(self, broker: str, topic: str) -> None:
        self._topic = topic
        self._partitions = describe_topics(broker, [topic])[topic].partitions
        self._consumer = Consumer(
            {
                **confluent_settings(broker),
                "group.id": "fraudstream-release",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                # What retention has removed since a stage began is gone; the rows that are left count.
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": FETCH_WAIT_MS,
                "queued.max.messages.kbytes": QUEUED_KB,
                "max.partition.fetch.bytes": PARTITION_FETCH_BYTES,
            }
        )
        self._reads = False

    def ends(self) -> dict[int, int]:
        """Return where each partition ends now."""
        return {each: watermarks(self._consumer, self._topic, each)[1] for each in range(self._partitions)}

    def start(self, positions: Mapping[int, int]) -> None:
        """Read on from these offsets; a partition that is not named from its beginning."""
        self._consumer.assign(
            [TopicPartition(self._topic, each, positions.get(each, 0)) for each in range(self._partitions)]
        )
        self._reads = True

    def stop(self) -> None:
        """Read nothing until the next start."""
        if self._reads:
            self._consumer.unassign()
            self._reads = False

    def read(self, timeout_s: float) -> list[Message]:
        """Return what has come within a time."""
        messages = self._consumer.consume(READ_MESSAGES, timeout_s)
        for message in messages:
            error = message.error()
            if error is not None:
                raise FeatureLogError(f"reading {self._topic} {message.partition()}: {error.str()}")
        return messages

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
