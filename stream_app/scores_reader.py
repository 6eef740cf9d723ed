"""The reader of `scores`: every transaction's score exactly once and in order, whatever crashed.

The rule: per partition, drop a record whose (epoch, source_offset) is not above the last one seen. The last one seen
travels in the metadata of the offset commit, so a reader that is restarted between a record and its repetition drops
the repetition too.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Self

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema import wire
from models.schema.score import Score
from models.schema.topics import SCORES
from stream_app.topic_admin import describe_topics

_NOTHING_SEEN = (-1, -1)
_read_json = json.JSONDecoder().raw_decode
"""Reads the beginning of a text: confluent-kafka 2.16 may read on behind the end of a commit's metadata."""


class ReaderError(FraudstreamError):
    """Raised when the broker refuses what a reader asks."""


class LastSeen:
    """The reader's rule over any number of partitions.

    Examples
    --------
    >>> last = LastSeen()
    >>> [last.is_new(0, 0, offset) for offset in (4, 5, 4, 5, 6)]
    [True, True, False, False, True]
    """

    def __init__(self) -> None:
        self._last: dict[int, tuple[int, int]] = {}

    def is_new(self, partition: int, epoch: int, source_offset: int) -> bool:
        """Whether the record is the first for its transaction; if so it is the last seen from now on."""
        if (epoch, source_offset) <= self._last.get(partition, _NOTHING_SEEN):
            return False
        self._last[partition] = (epoch, source_offset)
        return True

    def metadata(self, partition: int) -> str:
        """The last seen of a partition, as the text of an offset commit's metadata."""
        epoch, source_offset = self._last.get(partition, _NOTHING_SEEN)
        return json.dumps({"epoch": epoch, "source_offset": source_offset})

    def restore(self, partition: int, metadata: str | None) -> None:
        """Go on from a commit's metadata; text that this class did not write means nothing was seen."""
        try:
            stored, _ = _read_json(metadata or "")
            self._last[partition] = (int(stored["epoch"]), int(stored["source_offset"]))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            self._last.pop(partition, None)


class ScoresReader:
    """Iterates over scores as a member of a consumer group.

    A score counts as handled when the next one is asked for; handled scores are committed every `commit_interval_s`
    and at the end. A reader that is killed in between is given the scores since the last commit again.

    Parameters
    ----------
    broker:
        Bootstrap address of Kafka.
    group:
        Consumer group; its members share the partitions.
    topic:
        Full name of the scores topic.
    from_beginning:
        Where a new group starts: at the oldest score kept, or at the next one.
    idle_timeout_s:
        Ends the iteration when nothing new has come for so long; None follows for ever.
    kafka:
        Further librdkafka settings of this consumer; TLS and SASL are the process's (`models.access.kafka_settings`).

    Raises
    ------
    BrokerUnreachableError, UnknownTopicError
        At construction, naming the address or the topic.
    """

    def __init__(
        self,
        broker: str,
        group: str,
        *,
        topic: str = SCORES,
        from_beginning: bool = True,
        idle_timeout_s: float | None = None,
        commit_interval_s: float = 1.0,
        kafka: Mapping[str, Any] | None = None,
    ) -> None:
        describe_topics(broker, [topic])
        self._topic = topic
        self._idle_timeout_s = idle_timeout_s
        self._commit_interval_s = commit_interval_s
        self._last = LastSeen()
        self._next: dict[int, int] = {}
        self._committed_at = time.monotonic()
        self.dropped = 0
        """Repetitions that the rule has dropped."""
        self._consumer = Consumer(
            {
                **confluent_settings(broker),
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest" if from_beginning else "latest",
                **(kafka or {}),
            }
        )
        self._consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked)

    def __iter__(self) -> Iterator[Score]:
        """Yield scores as they come."""
        quiet_since = time.monotonic()
        while True:
            messages = self._consumer.consume(1000, timeout=0.1)
            if messages:
                quiet_since = time.monotonic()
            elif self._idle_timeout_s is not None and time.monotonic() - quiet_since > self._idle_timeout_s:
                return
            for message in messages:
                yield from self._new(message)
            self._commit_now_and_then()

    def _new(self, message: Message) -> Iterator[Score]:
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                return
            raise ReaderError(f"reading {self._topic}: {error.str()}")
        score = wire.decode(Score, message.value() or b"")
        partition = message.partition() or 0
        if self._last.is_new(partition, score.epoch, score.source_offset):
            yield score
        else:
            self.dropped += 1
        self._next[partition] = (message.offset() or 0) + 1

    def _commit_now_and_then(self) -> None:
        if time.monotonic() - self._committed_at >= self._commit_interval_s:
            self.commit()

    def commit(self) -> None:
        """Commit all handled scores, each partition's last seen beside its offset."""
        self._committed_at = time.monotonic()
        offsets = [
            TopicPartition(self._topic, partition, offset, metadata=self._last.metadata(partition))
            for partition, offset in self._next.items()
        ]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise ReaderError(f"committing {self._topic}: {error.args[0].str()}") from error
        self._next.clear()

    def close(self) -> None:
        """Commit and leave the group."""
        self.commit()
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for committed in consumer.committed(partitions, timeout=10):
            self._last.restore(committed.partition, committed.metadata if committed.offset >= 0 else None)

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.commit()
        for partition in partitions:
            self._next.pop(partition.partition, None)


def as_json(score: Score) -> str:
    """One score as a line of JSON."""
    return msgspec.json.encode(score).decode()
