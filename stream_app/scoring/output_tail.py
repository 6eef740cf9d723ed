"""What a partition's outputs end with: the last scored offset, and the scores whose feature rows never arrived."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from models.errors import FraudstreamError
from models.schema import wire
from models.schema.feature_batch import FeatureBatchError, FeatureBatchHeader
from models.schema.field_types import Count
from models.schema.score import Decision, Role
from stream_app.scoring.control_marks import NO_MARKS, MarksError, ScoreMarks, read_marks
from stream_app.scoring.lane import PublishedScore

log = logging.getLogger(__name__)

LAST_SCORES = 4096
"""Scores looked at from the end: twice the largest batch, since a writer that lost the partition may come last."""
_LAST_FEATURE_MESSAGES = 32
_READ_TIMEOUT_S = 30.0


class OutputTailError(FraudstreamError):
    """Raised when the end of an output topic cannot be read."""


class _TailScore(msgspec.Struct, frozen=True, gc=False):
    source_offset: Count
    epoch: Count
    writer: str
    score: float
    decision: Decision
    model_version: str
    marks: ScoreMarks = NO_MARKS
    role: Role = "champion"

    def published(self) -> PublishedScore:
        """What a feature row computed again has to say."""
        chance = self.marks.pass_probability
        if chance is None:
            chance = 0.0 if self.decision == "decline" else 1.0
        return PublishedScore(self.score, self.decision, self.model_version, chance, self.role)


@dataclass(frozen=True, slots=True)
class OutputTail:
    """The end of `scores[p]` and `features[p]`.

    `last_offset` is the largest source_offset scored in the newest epoch, None where nothing was (or the output was
    emptied). `topic_id` is that of the input those scores were made from, where a record still says it.
    """

    epoch: int
    last_offset: int | None
    topic_id: str | None
    _scores: tuple[_TailScore, ...] = ()

    def reaches(self, since: int) -> bool:
        """Whether what was read holds every kept score at or above an offset."""
        return _reaches(self._scores, since, self.epoch)

    def _kept(self, since: int) -> Iterator[_TailScore]:
        last = since - 1
        for score in self._scores:
            if score.epoch == self.epoch and score.source_offset > last:
                last = score.source_offset
                yield score

    def control_used(self) -> str:
        """The control group's day counts after the last score; at least one record batch begins in what was read."""
        told = [score.marks.used for score in self._kept(0) if score.marks.used is not None]
        return told[-1] if told else ""

    def missing(self, since: int, headers: Iterable[FeatureBatchHeader]) -> dict[int, PublishedScore]:
        """Kept scores at or above an offset that have no feature row of their writer and no recomputed one."""
        kept = list(self._kept(since))
        offsets = np.fromiter((score.source_offset for score in kept), np.int64, count=len(kept))
        writers = np.array([score.writer for score in kept], object)
        covered = np.zeros(len(kept), np.bool_)
        for header in headers:
            if header.epoch != self.epoch:
                continue
            first, last = np.searchsorted(offsets, (header.first_offset, header.last_offset + 1))
            covered[first:last] |= header.recomputed | (writers[first:last] == header.writer)
        return {kept[row].source_offset: kept[row].published() for row in np.flatnonzero(~covered).tolist()}


async def read_output_tail(consumer: AIOKafkaConsumer, scores: TopicPartition) -> OutputTail:
    """Read the end of a partition of `scores`, as far back as the last scored offset needs.

    The consumer has no group; its assignment is replaced.
    """
    return await _read_scores(consumer, scores, lambda _records: True)


async def _read_scores(
    consumer: AIOKafkaConsumer, scores: TopicPartition, enough: Callable[[list[ConsumerRecord]], bool]
) -> OutputTail:
    records = await _read_back(consumer, scores, LAST_SCORES, enough)
    tail = tuple(_tail_scores(records))
    if not tail:
        return OutputTail(epoch=0, last_offset=None, topic_id=None)
    epoch = max(score.epoch for score in tail)
    last = max(score.source_offset for score in tail if score.epoch == epoch)
    topic_id = next((_header(record, "topic_id") for record in reversed(records) if _header(record, "topic_id")), None)
    return OutputTail(epoch, last, topic_id, tail)


async def read_missing(
    consumer: AIOKafkaConsumer, scores: TopicPartition, features: TopicPartition, tail: OutputTail, since: int
) -> dict[int, PublishedScore]:
    """Return by offset the kept scores whose feature row never arrived.

    Parameters
    ----------
    consumer:
        A consumer without group; its assignment is replaced.
    scores, features:
        The partition's outputs.
    tail:
        The end of `scores`; more of it is read where it does not reach back far enough.
    since:
        Source offset below which every output is known to be acknowledged.
    """
    if tail.last_offset is None or since > tail.last_offset:
        return {}
    epoch = tail.epoch
    if not tail.reaches(since):
        tail = await _read_scores(consumer, scores, lambda batch: _reaches(_tail_scores(batch), since, epoch))
    messages = await _read_back(
        consumer, features, _LAST_FEATURE_MESSAGES, lambda batch: _first_feature(batch) <= since
    )
    return tail.missing(since, (header for record in messages if (header := _feature_header(record)) is not None))


def _reaches(scores: Iterable[_TailScore], since: int, epoch: int) -> bool:
    """Whether no kept score at or above an offset can lie before the first of these.

    The first may be a late repetition by a writer that had lost the partition, but not as many as a batch of them.
    """
    first = itertools.islice(scores, LAST_SCORES // 2 + 1)
    return all(score.epoch < epoch or score.source_offset <= since for score in first)


def _tail_scores(records: Iterable[ConsumerRecord]) -> Iterator[_TailScore]:
    return (score for record in records if (score := _tail_score(record)) is not None)


def _tail_score(record: ConsumerRecord) -> _TailScore | None:
    """A score, None for a record that no scorer has written: it must not keep the partition shut."""
    try:
        return _with_marks(wire.decode(_TailScore, record.value or b""), record)
    except (wire.RecordError, MarksError) as error:
        _pass_over(record, error)
        return None


def _pass_over(record: ConsumerRecord, error: Exception) -> None:
    ids = {"partition": record.partition, "offset": record.offset}
    log.warning("%s[%d] offset %d is passed over: %s", record.topic, record.partition, record.offset, error, extra=ids)


def _feature_header(record: ConsumerRecord) -> FeatureBatchHeader | None:
    try:
        return FeatureBatchHeader.decode(record.headers)
    except FeatureBatchError as error:
        _pass_over(record, error)
        return None


def _with_marks(score: _TailScore, record: ConsumerRecord) -> _TailScore:
    return msgspec.structs.replace(score, marks=read_marks(record.headers)) if record.headers else score


async def _read_back(
    consumer: AIOKafkaConsumer, partition: TopicPartition, last: int, enough: Callable[[list[ConsumerRecord]], bool]
) -> list[ConsumerRecord]:
    """The last records of a partition, more of them each time until `enough` says so or the beginning is reached."""
    begin = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    if begin == end:
        return []
    for back in _doubling(last):
        start = max(begin, end - back)
        records = await read_range(consumer, partition, start, end)
        if start == begin or (records and enough(records)):
            return records
    raise AssertionError("unreachable: doubling reaches the beginning")


def _doubling(first: int) -> Iterator[int]:
    return (first << power for power in itertools.count(step=2))


async def read_range(
    consumer: AIOKafkaConsumer, partition: TopicPartition, start: int, end: int
) -> list[ConsumerRecord]:
    """Every record with start <= offset < end; raises OutputTailError when the broker does not give them."""
    consumer.assign([partition])
    consumer.seek(partition, start)
    records: list[ConsumerRecord] = []
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S):
            while await consumer.position(partition) < end:
                found = await consumer.getmany(partition, timeout_ms=200)
                records += found.get(partition, [])
    except TimeoutError:
        raise OutputTailError(
            f"{partition.topic}[{partition.partition}] could not be read from {start} to {end} within "
            f"{_READ_TIMEOUT_S:.0f} s; is the broker healthy?"
        ) from None
    return [record for record in records if record.offset < end]


def _first_feature(records: Sequence[ConsumerRecord]) -> int:
    try:
        return FeatureBatchHeader.decode(records[0].headers).first_offset
    except FeatureBatchError:
        return 0


def _header(record: ConsumerRecord, name: str) -> str | None:
    return next((value.decode("utf-8", "replace") for key, value in record.headers if key == name and value), None)
