"""Reads the topic of scores: counts all of them, looks at most of them, tells a sample and what was flagged."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, Message, TopicPartition

from models.schema import wire
from models.schema.score import Score
from stream_app.console.feed.event_reader import console_consumer
from stream_app.console.feed.journal import Journal
from stream_app.console.feed.sample import Sample
from stream_app.console.records.reasons import in_words
from stream_app.scores_reader import LastSeen
from stream_app.watermarks import watermarks

_APPROVED: Final = b'"decision":"approve"'
"""As the scorers write it: what is flagged is told without decoding the rest."""
_BATCH: Final = 4_000
_WAIT_S: Final = 0.15
_BEHIND_S: Final = 1.0
"""A reader that is further behind jumps to the end: what comes now is what is asked for."""
_AT_START: Final = 200
"""Records of each partition that are read at the start, so that a page is not empty."""


@dataclass(frozen=True, slots=True)
class ScoreCounts:
    """How many scores there were since the process began.

    Attributes
    ----------
    written: by offsets, all of them.
    looked_at: those whose decision was looked at.
    flagged: those of them that were not approved.
    told: those that are in the journal.
    """

    written: int = 0
    looked_at: int = 0
    flagged: int = 0
    told: int = 0

    def __sub__(self, earlier: "ScoreCounts") -> "ScoreCounts":
        return ScoreCounts(
            self.written - earlier.written,
            self.looked_at - earlier.looked_at,
            self.flagged - earlier.flagged,
            self.told - earlier.told,
        )


class ScoreReader:
    """Follows the end of the topic.

    Parameters
    ----------
    broker, topic, partitions: where.
    journal: receives the sample.
    undecodable: is told the topic of a record that is no score; it is left out.
    clock_s: monotonic.
    """

    def __init__(
        self,
        broker: str,
        topic: str,
        partitions: int,
        journal: Journal,
        undecodable: Callable[[str], None],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer: Consumer = console_consumer(broker)
        self._topic, self._journal = topic, journal
        self.partitions = partitions
        self._undecodable = undecodable
        self._sample = Sample(clock_s)
        self._next: dict[int, int] = {}
        self._counted_from: dict[int, int] = {}
        self._last_seen = LastSeen()
        self.last: dict[int, tuple[Score, int]] = {}
        """Partition -> the last score decoded there, and Kafka's timestamp of it."""
        self.counts = ScoreCounts()

    def open(self) -> None:
        """Begin a little before the end, or where this process has read up to."""
        reached = self._journal.place()
        for partition in range(self.partitions):
            first, end = watermarks(self._consumer, self._topic, partition)
            start = max(first, end - _AT_START)
            if partition not in reached:
                self._journal.begin(partition, start)
            elif reached[partition] < end:
                start = max(start, reached[partition] + 1)
            self._next[partition], self._counted_from[partition] = start, end
        self._consumer.assign([TopicPartition(self._topic, one, at) for one, at in self._next.items()])

    def turn(self) -> bool:
        """Take what has come within a moment; return whether something was told."""
        messages = [one for one in self._consumer.consume(_BATCH, timeout=_WAIT_S) if one.error() is None]
        if not messages:
            return False
        values = [message.value() or b"" for message in messages]
        flagged = [at for at, value in enumerate(values) if _APPROVED not in value]
        self._count(messages, flagged)
        told = [self._tell(messages[at], values[at]) for at in self._sample.chosen(len(messages), flagged)]
        self._note_ends(messages, values)
        self._catch_up()
        return any(told)

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def _count(self, messages: Sequence[Message], flagged: Sequence[int]) -> None:
        """What was there before the console is shown, and not counted as what came."""
        written = 0
        for partition, offset in {one.partition() or 0: one.offset() or 0 for one in messages}.items():
            written += max(0, offset + 1 - max(self._next[partition], self._counted_from[partition]))
            self._next[partition] = offset + 1
        new = [(one.offset() or 0) >= self._counted_from[one.partition() or 0] for one in messages]
        before = self.counts
        self.counts = ScoreCounts(
            before.written + written,
            before.looked_at + sum(new),
            before.flagged + sum(new[at] for at in flagged),
            before.told,
        )

    def _tell(self, message: Message, value: bytes) -> bool:
        score = self._decoded(value)
        partition, offset = message.partition() or 0, message.offset() or 0
        if score is None or not self._last_seen.is_new(partition, score.epoch, score.source_offset):
            return False
        stamp_ms = message.timestamp()[1]
        data: dict[str, Any] = msgspec.to_builtins(score)
        data["why"] = [reason.words for reason in in_words(score.reason_codes)]
        self._journal.append(partition, offset, stamp_ms, data | {"partition": partition, "offset": offset})
        if offset >= self._counted_from[partition]:
            before = self.counts
            self.counts = ScoreCounts(before.written, before.looked_at, before.flagged, before.told + 1)
        return True

    def _note_ends(self, messages: Sequence[Message], values: Sequence[bytes]) -> None:
        for partition, at in {one.partition() or 0: at for at, one in enumerate(messages)}.items():
            score = self._decoded(values[at])
            if score is not None:
                self.last[partition] = score, messages[at].timestamp()[1]

    def _decoded(self, value: bytes) -> Score | None:
        try:
            return wire.decode(Score, value)
        except wire.RecordError:
            self._undecodable("scores")
            return None

    def _catch_up(self) -> None:
        """Jump to the end where reading has fallen behind; the offsets in between still count as written."""
        now_ms = time.time_ns() // 1_000_000
        for partition, (_, stamp_ms) in self.last.items():
            if now_ms - stamp_ms <= _BEHIND_S * 1000:
                continue
            _, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
            target = end - _AT_START
            if target > self._next[partition] + _BATCH:
                self._consumer.seek(TopicPartition(self._topic, partition, target))
