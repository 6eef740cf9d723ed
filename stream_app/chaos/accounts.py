"""Adds up every transaction of a run, from the topics themselves: what was lost, doubled, out of order or different."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
from confluent_kafka import Message

from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.schema.columns import TransactionColumns
from models.schema.dead_letter import DeadLetter
from models.schema.decoding import decode_transactions
from models.schema.feature_batch import FeatureRows, decode_feature_batch
from models.schema.money import default_reporting_currency
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from stream_app.chaos.topic_log import TopicLog
from stream_app.scores_reader import LastSeen

Place = tuple[int, int]
"""Partition and epoch."""
Key = tuple[int, int]
"""Epoch and source offset, within a partition."""


class _Score(msgspec.Struct, frozen=True, gc=False):
    """What is counted of a record of `scores`."""

    transaction_id: str
    source_offset: int
    epoch: int
    writer: str
    model_version: str
    degraded: bool


@dataclass(frozen=True, slots=True)
class KeptScore:
    """A score that counts by the reader's rule; `at_ms` is the broker's time of its arrival."""

    transaction_id: str
    writer: str
    model_version: str
    degraded: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class _Input:
    """One partition of `transactions` in one epoch: `offsets`, `at_ms` and `transactions` are of what is readable."""

    offsets: list[int]
    at_ms: list[int]
    transactions: list[Transaction]
    rejected: list[int]


class Sums(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes
    ----------
    events: records sent, whatever they held.
    lost: those without a score and without a dead letter.
    duplicated: transactions that a reader sees scored more than once.
    duplicated_raw: records of `scores` that its rule drops.
    out_of_order: scores that a reader sees on another transaction's place.
    feature_differences: kept scores whose feature row is missing or differs in a bit from an undisturbed run's.
    longest_gap_s: longest time that a partition stood still while a transaction waited, by the broker's clock.
    dead_letters: records that were refused.
    degraded: kept scores marked so.
    """

    events: int
    lost: int
    duplicated: int
    duplicated_raw: int
    out_of_order: int
    feature_differences: int
    longest_gap_s: float
    dead_letters: int
    degraded: int


@dataclass
class Accounts:
    """Reads the topics of a run, as often as wanted, and adds them up.

    Parameters
    ----------
    broker, topics: where.
    gaps_since_ms: wall clock from which gaps count.
    """

    broker: str
    topics: TopicNames
    gaps_since_ms: int = 0
    raw: int = 0
    kept: dict[int, dict[Key, KeptScore]] = field(default_factory=dict)
    _inputs: dict[Place, list[Message]] = field(default_factory=dict)
    _taken: dict[int, int] = field(default_factory=dict)
    _buried: set[tuple[int, int]] = field(default_factory=set)
    _letters: dict[int, int] = field(default_factory=dict)
    _epochs: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open nothing yet."""
        self._last = LastSeen()
        self._scores = TopicLog(self.broker, self.topics.scores)
        self._features = TopicLog(self.broker, self.topics.features)
        self._dead = TopicLog(self.broker, self.topics.dead_letter)
        self._source = TopicLog(self.broker, self.topics.transactions)

    def close(self) -> None:
        """Disconnect."""
        for log in (self._scores, self._features, self._dead, self._source):
            log.close()

    def read_scores(self) -> None:
        """Take in the scores there are, by the reader's rule."""
        self._scores.read()
        for partition, records in self._scores.records.items():
            kept = self.kept.setdefault(partition, {})
            for record in records[self._taken.get(partition, 0) :]:
                score = msgspec.json.decode(record.value() or b"", type=_Score)
                self.raw += 1
                if self._last.is_new(partition, score.epoch, score.source_offset):
                    kept[score.epoch, score.source_offset] = KeptScore(
                        score.transaction_id, score.writer, score.model_version, score.degraded, record.timestamp()[1]
                    )
            self._taken[partition] = len(records)

    def read_output(self) -> None:
        """Take in all output there is: what is deleted afterwards has been read."""
        self.read_scores()
        self._features.read()

    def output_ends(self) -> dict[tuple[str, int], int]:
        """Return, by topic and partition, the offset behind the last record of `scores` and `features` taken in."""
        logs = (self._scores, self._features)
        return {(log.topic, partition): end for log in logs for partition, end in log.ends.items()}

    def read_input(self) -> None:
        """Take in the input of the present epoch."""
        self._source.read()
        for partition, records in self._source.records.items():
            self._inputs[partition, self._epochs.get(partition, 0)] = records

    def next_epoch(self) -> None:
        """Take in the input once more: it is about to be recreated, and partitions that had any begin a new epoch."""
        self.read_input()
        for partition in self._source.records:
            self._epochs[partition] = self._epochs.get(partition, 0) + 1
        self._source.close()
        self._source = TopicLog(self.broker, self.topics.transactions)

    @property
    def degraded(self) -> int:
        """Kept scores so far that are marked degraded."""
        return sum(score.degraded for kept in self.kept.values() for score in kept.values())

    def input_end(self) -> int:
        """Return how many records `transactions` has had."""
        return sum(self._source.watermarks().values())

    def output_end(self) -> int:
        """Return how many records `scores` has had."""
        return sum(self._scores.watermarks().values())

    @property
    def input_records(self) -> int:
        """Records sent so far, in all epochs, as far as they have been read."""
        return sum(map(len, self._inputs.values()))

    @property
    def answered(self) -> int:
        """Transactions scored so far, and records refused."""
        return sum(map(len, self.kept.values())) + len(self.buried())

    def buried(self) -> set[tuple[int, int]]:
        """Partition and offset of each record that was refused."""
        self._dead.read()
        for partition, records in self._dead.records.items():
            for record in records[self._letters.get(partition, 0) :]:
                letter = DeadLetter.read(record.key(), record.value(), record.headers() or ())  # type: ignore[arg-type]  # as read
                self._buried.add((letter.partition, letter.offset))
            self._letters[partition] = len(records)
        return self._buried

    def models(self) -> Counter[str]:
        """How many transactions each model has decided."""
        return Counter(score.model_version for kept in self.kept.values() for score in kept.values())

    def sums(self) -> Sums:
        """Read everything to its end and add it up."""
        self.read_input()
        self.read_output()
        buried = self.buried()
        events = lost = out_of_order = differences = 0
        gap_ms = 0
        rows = {partition: _Rows.of(records) for partition, records in self._features.records.items()}
        inputs = {place: _input(records) for place, records in self._inputs.items()}
        for (partition, epoch), source in inputs.items():
            kept = self.kept.get(partition, {})
            events += len(source.offsets) + len(source.rejected)
            lost += sum((partition, offset) not in buried for offset in source.rejected)
            found = [kept.get((epoch, offset)) for offset in source.offsets]
            lost += found.count(None)
            out_of_order += sum(
                score is not None and score.transaction_id != one.transaction_id
                for score, one in zip(found, source.transactions, strict=True)
            )
            scored_ms = [None if one is None else one.at_ms for one in found]
            gap_ms = max(gap_ms, _longest_gap_ms(source.at_ms, scored_ms, self.gaps_since_ms))
            differences += _differences(epoch, source, found, rows.get(partition, _Rows.of([])))
        sent = Counter(
            (epoch, one.transaction_id) for (_, epoch), source in inputs.items() for one in source.transactions
        )
        seen = Counter(
            (epoch, score.transaction_id) for kept in self.kept.values() for (epoch, _), score in kept.items()
        )
        return Sums(
            events=events,
            lost=lost,
            duplicated=sum(max(0, count - sent[which]) for which, count in seen.items()),
            duplicated_raw=self.raw - sum(map(len, self.kept.values())),
            out_of_order=out_of_order,
            feature_differences=differences,
            longest_gap_s=round(gap_ms / 1000, 3),
            dead_letters=len(buried),
            degraded=self.degraded,
        )


def _input(records: Sequence[Message]) -> _Input:
    good, indices, _ = decode_transactions([record.value() for record in records])
    rejected = set(range(len(records))) - set(indices)
    return _Input(
        [records[i].offset() or 0 for i in indices],
        [records[i].timestamp()[1] for i in indices],
        list(good),
        [records[i].offset() or 0 for i in sorted(rejected)],
    )


def _longest_gap_ms(sent_ms: Sequence[int], scored_ms: Sequence[int | None], since_ms: int) -> int:
    """Return the longest time between a score and the one before it, or its transaction where that came later.

    Of a gap that began before `since_ms` only the rest counts.
    """
    longest, before = 0, 0
    for sent, scored in zip(sent_ms, scored_ms, strict=True):
        if scored is not None:
            longest = max(longest, scored - max(before, sent, since_ms))
            before = scored
    return longest


@dataclass(frozen=True, slots=True)
class _Rows:
    """A partition's feature rows: where each one's is, by epoch, offset and writer, and where a recomputed one's."""

    own: dict[tuple[int, int, str], int]
    again: dict[Key, int]
    verified: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float32]

    @classmethod
    def of(cls, records: Sequence[Message]) -> "_Rows":
        batches: list[FeatureRows] = [decode_feature_batch(record.value() or b"") for record in records]
        own: dict[tuple[int, int, str], int] = {}
        again: dict[Key, int] = {}
        at = 0
        for batch in batches:
            columns = (batch.numpy("epoch").tolist(), batch.numpy("source_offset").tolist(), batch.strings("writer"))
            recomputed = batch.numpy("recomputed").tolist()
            for row, (epoch, offset, writer, once_more) in enumerate(zip(*columns, recomputed, strict=True), at):
                if once_more:
                    again.setdefault((epoch, offset), row)
                else:
                    own.setdefault((epoch, offset, writer), row)
            at += len(batch)
        return cls(
            own,
            again,
            np.concatenate([batch.numpy("verified").astype(np.bool_) for batch in batches] or [np.empty(0, np.bool_)]),
            np.concatenate([batch.values for batch in batches] or [np.empty((0, len(DEFAULT)), np.float32)]),
        )


def _differences(epoch: int, source: _Input, found: Sequence[KeptScore | None], rows: _Rows) -> int:
    """Count the kept scores whose feature row is missing, unverified or not what an undisturbed run computes."""
    if not source.transactions:
        return 0
    places = [
        -1 if score is None else rows.own.get((epoch, offset, score.writer), rows.again.get((epoch, offset), -1))
        for offset, score in zip(source.offsets, found, strict=True)
    ]
    counted = np.array([score is not None for score in found], np.bool_)
    there = np.array(places) >= 0
    differs = counted & ~there
    expected = _undisturbed(source.transactions)
    at = np.flatnonzero(there)
    chosen = np.array(places)[at]
    same = (rows.values[chosen].view(np.uint32) == expected[at].view(np.uint32)).all(axis=1) & rows.verified[chosen]
    differs[at[~same]] = True
    return int(differs.sum())


def _undisturbed(transactions: list[Transaction]) -> npt.NDArray[np.float32]:
    """Features of one partition's transactions, computed offline in one go: float32 [n, features]."""
    columns = TransactionColumns.from_transactions(transactions, default_reporting_currency())
    values = np.empty((len(columns), len(DEFAULT)), np.float32)
    ProfileTable(DEFAULT).fill(columns, values)
    CardState(DEFAULT).advance(columns, values, np.zeros(len(columns), np.uint8))
    return values
