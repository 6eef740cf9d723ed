"""The last scores of each partition, and how long their transactions waited for them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Message

from models.schema import wire
from models.schema.score import Score
from models.schema.topics import TopicNames
from stream_app.top.picture import Sample
from stream_app.top.tail_reader import TailReader

EACH: Final = 50
"""Scores of each partition."""
Ends = Mapping[int, tuple[int, int]]


class ScoresSample:
    """Takes samples.

    Parameters
    ----------
    reader: of the topics.
    topics: names of the topics.
    """

    def __init__(self, reader: TailReader, topics: TopicNames) -> None:
        self._reader = reader
        self._topics = topics

    def take(self, scores: Ends, transactions: Ends) -> tuple[Sample, dict[int, int]]:
        """Return a sample, and by partition the offset behind the last transaction that is scored.

        Parameters
        ----------
        scores, transactions: first and end offset of each partition.
        """
        places = {number: (max(first, end - EACH), end) for number, (first, end) in scores.items()}
        found = list(_scores(self._reader.read(self._topics.scores, places)))
        last: dict[int, int] = {}
        for one in found:
            last[one.partition] = max(last.get(one.partition, 0), one.score.source_offset + 1)
        decisions = [one.score.decision for one in found]
        sample = Sample(
            scores=len(found),
            review=decisions.count("review"),
            decline=decisions.count("decline"),
            degraded=sum(one.score.degraded for one in found),
            latency_ms=self._latencies(found, transactions),
        )
        return sample, last

    def _latencies(self, found: Sequence["_Scored"], transactions: Ends) -> list[float]:
        """Read the transactions of the sample; those between them and those that are gone say nothing."""
        offsets: dict[int, list[int]] = {}
        for one in found:
            offsets.setdefault(one.partition, []).append(one.score.source_offset)
        places = {}
        for number, of in offsets.items():
            first, end = transactions.get(number, (0, 0))
            latest = min(max(of) + 1, end)
            places[number] = (max(first, latest - EACH), latest)
        arrived = {
            (message.partition() or 0, message.offset() or 0): message.timestamp()[1]
            for message in self._reader.read(self._topics.transactions, places)
        }
        return [
            float(one.at_ms - arrived[place])
            for one in found
            if (place := (one.partition, one.score.source_offset)) in arrived
        ]


@dataclass(frozen=True, slots=True)
class _Scored:
    """A score, and when Kafka had it."""

    score: Score
    partition: int
    at_ms: int


def _scores(messages: Iterable[Message]) -> Iterator[_Scored]:
    for message in messages:
        with suppress(wire.RecordError):  # no scorer wrote it
            score = wire.decode(Score, message.value() or b"")
            yield _Scored(score, message.partition() or 0, message.timestamp()[1])
