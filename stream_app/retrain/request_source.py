"""What the retrainer reads: requests from where it has done everything, and the newest announcement of the archive."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.topics import TopicNames
from stream_app.watermarks import watermarks

GROUP: Final = "fraudstream-retrain"
COMMITS_GROUP: Final = "fraudstream-archive-commits"
"""Asked for by the client; nothing is committed."""
ANSWER_S: Final = 30.0
READ_MESSAGES: Final = 500
_LOOK_BACK: Final = 100
_AGAIN_S: Final = 0.05
_SOON: Final = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    }
)
_Answer = TypeVar("_Answer")


class RequestSourceError(FraudstreamError):
    """Raised when the broker refuses what the retrainer asks."""


def _consumer(broker: str, group: str) -> Consumer:
    return Consumer(
        {
            **confluent_settings(broker),
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
        }
    )


def _coordinated(ask: Callable[[], _Answer], topic: str) -> _Answer:
    """Ask the group's coordinator, again while a broker that has just started, or lost another, has none."""
    until_s = time.monotonic() + ANSWER_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            reason = error.args[0]
            if reason.code() not in _SOON or time.monotonic() > until_s:
                raise RequestSourceError(f"the position in {topic} cannot be kept: {reason.str()}") from error
            time.sleep(_AGAIN_S)


def _checked(messages: list[Message]) -> list[Message]:
    for message in messages:
        error = message.error()
        if error is not None:
            raise RequestSourceError(f"reading {message.topic()}: {error.str()}")
    return messages


class RequestSource:
    """The one partition of `retrain-requests`; its position is a commit of the group, which has no other member.

    Parameters
    ----------
    broker: Kafka's address.
    topics: names of the topics.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self.topic = topics.retrain_requests
        self._consumer = _consumer(broker, topics.prefix + GROUP)
        first, end = watermarks(self._consumer, self.topic, 0)
        committed = self._committed()
        # A topic that was created again knows nothing of the old position.
        self.next_offset = committed if first <= committed <= end else first
        self._position = committed
        self._consumer.assign([TopicPartition(self.topic, 0, self.next_offset)])

    def read(self, timeout_s: float) -> list[Message]:
        """Return what has come within a time."""
        messages = _checked(self._consumer.consume(READ_MESSAGES, timeout_s))
        if messages:
            self.next_offset = (messages[-1].offset() or 0) + 1
        return messages

    def commit(self, offset: int) -> None:
        """Say that everything below an offset is done."""
        if offset == self._position:
            return
        place = TopicPartition(self.topic, 0, offset)
        _coordinated(lambda: self._consumer.commit(offsets=[place], asynchronous=False), self.topic)
        self._position = offset

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def _committed(self) -> int:
        place = TopicPartition(self.topic, 0)
        found = _coordinated(lambda: self._consumer.committed([place], timeout=ANSWER_S), self.topic)
        return int(found[0].offset)


class CommitSource:
    """The newest announcement of the archive.

    Parameters
    ----------
    broker: Kafka's address.
    topics: names of the topics.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self._newest: ArchiveCommit | None = None
        self._consumer = _consumer(broker, COMMITS_GROUP)
        first, end = watermarks(self._consumer, topics.archive_commits, 0)
        self._consumer.assign([TopicPartition(topics.archive_commits, 0, max(first, end - _LOOK_BACK))])

    def newest(self) -> ArchiveCommit | None:
        """Return the last one that has come; what is none is the watch's to bury."""
        for message in _checked(self._consumer.consume(READ_MESSAGES, 0)):
            try:
                self._newest = wire.decode(ArchiveCommit, message.value() or b"")
            except wire.RecordError:
                continue
        return self._newest

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
