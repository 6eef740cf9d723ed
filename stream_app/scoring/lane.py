"""One partition's scoring: records in; scores, feature rows and dead letters out; knows no Kafka, Faust or Redis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.control_group import NO_CONTROL_GROUP, ControlGroup, Draw, PassMark
from models.features.card_state import CardState
from models.features.feature_set import FeatureSet
from models.features.profile_table import ProfileTable
from models.schema import murmur2, wire
from models.schema.columns import TransactionColumns
from models.schema.decoding import Rejection, decode_transactions
from models.schema.feature_batch import DECISIONS, FeatureBatchEncoder, FeatureBatchHeader, ScoredColumns
from models.schema.money import ReportingCurrency
from models.schema.score import ReasonCode, Score
from models.schema.topics import DAY_MS, LONGEST_WINDOW_DAYS
from models.schema.transaction import Transaction
from models.scorer import LoadedModel

DUPLICATE, TOO_LATE, LATE = 1, 2, 4


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records of one partition, as one poll brought them."""

    partition: int
    generation: int
    offsets: NDArray[np.int64]
    keys: list[bytes | None]
    values: list[bytes | None]

    def since(self, offset: int) -> "RecordBatch":
        """The records at and above an offset."""
        start = int(np.searchsorted(self.offsets, offset))
        if start == 0:
            return self
        return RecordBatch(
            self.partition, self.generation, self.offsets[start:], self.keys[start:], self.values[start:]
        )


class PublishedScore(NamedTuple):
    """What `scores` already holds for an offset whose feature row is missing."""

    score: float
    decision: str
    model_version: str
    pass_probability: float = 1.0


class DeadRecord(NamedTuple):
    """A record that was not scored, and why."""

    offset: int
    key: bytes | None
    rejection: Rejection


class FeatureMessage(NamedTuple):
    """One message for the topic `features`."""

    header: FeatureBatchHeader
    value: bytes


@dataclass(slots=True)
class Scored:
    """What came of one record batch; `next_offset` is where the partition goes on once all of it is acknowledged.

    `control_used` are the control group's day counts before the batch, `marks` the rows of `scores` that were drawn,
    `drawable` those that would have been with room under the day's cap, `event_time` is that of the row in the middle.
    """

    next_offset: int
    scores: list[tuple[bytes, bytes]] = field(default_factory=list)
    features: list[FeatureMessage] = field(default_factory=list)
    dead: list[DeadRecord] = field(default_factory=list)
    flagged: int = 0
    duplicates: int = 0
    late: int = 0
    too_late: int = 0
    misrouted: int = 0
    misrouted_card: str | None = None
    degraded: int = 0
    control_used: str = ""
    marks: Mapping[int, PassMark] = field(default_factory=dict)
    control: int = 0
    drawable: int = 0
    event_time: int = 0


@dataclass(frozen=True, slots=True)
class LaneIdentity:
    """Which partition of which topic a lane scores, and under whose name."""

    partition: int
    partitions: int
    topic_id: str
    epoch: int
    writer: str


@dataclass(frozen=True, slots=True)
class LaneStart:
    """Where a lane begins.

    Offsets from `state_offset` are fed to the card windows; those from `output_offset` are scored for output too.
    `missing` are offsets in between whose score was published and whose feature row was not: they are computed again
    with the model in `models` that the score names. `cold_before` is the event time until which windows that could not
    be rebuilt are not full: what happened before it is marked degraded (0: they are full; None: a longest window after
    the first transaction).
    """

    state_offset: int
    output_offset: int
    missing: Mapping[int, PublishedScore] = field(default_factory=dict)
    models: Mapping[str, LoadedModel] = field(default_factory=dict)
    cold_before: int | None = 0


class Lane:
    """Scores one partition in offset order.

    Parameters
    ----------
    identity:
        Partition, topic id, epoch and writer that stand on every output.
    start:
        Where state and output begin.
    cards:
        Card windows as restored for `start.state_offset`.
    profiles:
        Terminal profiles, shared by the lanes of a process.
    currency:
        Converts amounts to the reporting currency.
    reasons:
        Most reason codes on a flagged score.
    control:
        Lets some declines pass; None lets none.
    """

    def __init__(
        self,
        identity: LaneIdentity,
        start: LaneStart,
        feature_set: FeatureSet,
        cards: CardState,
        profiles: ProfileTable,
        currency: ReportingCurrency,
        reasons: int,
        control: ControlGroup | None = None,
    ) -> None:
        self.identity = identity
        self.start = start
        self.cards = cards
        self.next_offset = start.state_offset
        self.cold_before = start.cold_before
        self._reported = start.output_offset
        self._feature_set = feature_set
        self._profiles = profiles
        self._currency = currency
        self._reasons = reasons
        self._control = control or ControlGroup(NO_CONTROL_GROUP, day_cap=0)
        self._encoder = FeatureBatchEncoder(feature_set.names)
        self._codes = [feature.name.upper() for feature in feature_set.features]

    def score(self, batch: RecordBatch, model: LoadedModel, *, stale: bool, now_ms: int) -> Scored:
        """Advance over one batch.

        Parameters
        ----------
        batch:
            Records in offset order; those already seen are passed over.
        model:
            The model that decides.
        stale:
            Whether the registry has been silent for too long: scores are marked degraded.
        now_ms:
            Wall clock, for `scored_at`.
        """
        batch = batch.since(self.next_offset)
        scored = Scored(next_offset=self.next_offset)
        if not len(batch.offsets):
            return scored
        fresh = batch.since(self.start.output_offset)
        replayed = len(batch.offsets) - len(fresh.offsets)
        if replayed:
            self._replay(batch, replayed, scored)
        if len(fresh.offsets):
            self._score_fresh(fresh, model, scored, stale=stale, now_ms=now_ms)
        self.next_offset = scored.next_offset = int(batch.offsets[-1]) + 1
        return scored

    def pass_to(self, offset: int) -> bool:
        """Go on from an offset when none before it holds a record any more; returns whether that is news."""
        if offset <= self.next_offset:
            return False
        self.next_offset = offset
        return True

    def _replay(self, batch: RecordBatch, count: int, scored: Scored) -> None:
        transactions, indices, _ = decode_transactions(batch.values[:count], self._currency)
        if not transactions:
            return
        columns = self._columns(transactions)
        offsets = batch.offsets[indices]
        rows = [row for row, offset in enumerate(offsets.tolist()) if offset in self.start.missing]
        if not rows:
            self.cards.advance(columns, None, np.zeros(len(columns), np.uint8))
            return
        values, _ = self._features(columns)
        scored.features.append(self._recomputed([transactions[row] for row in rows], offsets[rows], values[rows]))

    def _recomputed(
        self, transactions: Sequence[Transaction], offsets: NDArray[np.int64], values: NDArray[np.float32]
    ) -> FeatureMessage:
        """Feature rows that a crash kept from `features`, each proved by its score coming out equal."""
        published = [self.start.missing[int(offset)] for offset in offsets]
        versions = [entry.model_version for entry in published]
        expected = np.array([entry.score for entry in published], np.float32)
        score = np.full(len(published), np.nan, np.float32)
        for version, model in self.start.models.items():
            mine = [row for row, name in enumerate(versions) if name == version]
            if mine:
                score[mine] = model.score(values[mine])
        decision = np.array([DECISIONS.index(entry.decision) for entry in published], np.uint8)
        chance = np.array([entry.pass_probability for entry in published], np.float32)
        columns = ScoredColumns(
            source_offset=offsets,
            score=expected,
            decision=decision,
            values=values,
            writer=self.identity.writer,
            epoch=self.identity.epoch,
            role="champion",
            model_version=versions,
            profiles_as_of=self._profiles.as_of,
            recomputed=True,
            verified=score == expected,
            control=(decision == DECISIONS.index("approve")) & (chance < 1.0),
            pass_probability=chance,
        )
        return self._feature_message(transactions, columns, int(offsets[0]), int(offsets[-1]))

    def _score_fresh(self, batch: RecordBatch, model: LoadedModel, scored: Scored, *, stale: bool, now_ms: int) -> None:
        transactions, indices, rejections = decode_transactions(batch.values, self._currency)
        scored.dead = [DeadRecord(int(batch.offsets[r.index]), batch.keys[r.index], r) for r in rejections]
        first, last = self._reported, int(batch.offsets[-1])
        self._reported = last + 1
        offsets = batch.offsets[indices] if rejections else batch.offsets
        columns = self._columns(transactions)
        values, status = self._features(columns)
        score = model.score(values) if transactions else np.zeros(0, np.float32)
        drawn = self._control.draw(model.decide(score), score, columns.amount, transactions)
        keys = [transaction.card_id.encode() for transaction in transactions]
        misrouted = self._misrouted(keys)
        degraded = misrouted | stale | (columns.event_time < (self.cold_before or 0))
        records = self._messages(transactions, offsets, model, score, drawn.decision, values, status, degraded, now_ms)
        scored.scores = list(zip(keys, records, strict=True))
        _take_draw(scored, drawn)
        scored.event_time = int(columns.event_time[len(columns) // 2]) if transactions else 0
        scored.duplicates = int(np.count_nonzero(status & DUPLICATE))
        scored.late = int(np.count_nonzero(status & LATE))
        scored.too_late = int(np.count_nonzero(status & TOO_LATE))
        scored.misrouted = int(np.count_nonzero(misrouted))
        if scored.misrouted:
            scored.misrouted_card = transactions[int(np.argmax(misrouted))].card_id
        scored.degraded = int(np.count_nonzero(degraded))
        rows = ScoredColumns(
            source_offset=offsets,
            score=score,
            decision=drawn.decision,
            values=values,
            writer=self.identity.writer,
            epoch=self.identity.epoch,
            role="champion",
            model_version=model.version,
            profiles_as_of=self._profiles.as_of,
            recomputed=False,
            verified=True,
            control=drawn.control,
            pass_probability=drawn.pass_probability,
        )
        scored.features.append(self._feature_message(transactions, rows, first, last))

    def _columns(self, transactions: Sequence[Transaction]) -> TransactionColumns:
        columns = TransactionColumns.from_transactions(transactions, self._currency)
        if self.cold_before is None and len(columns):
            self.cold_before = int(columns.event_time[0]) + LONGEST_WINDOW_DAYS * DAY_MS
        return columns

    def _features(self, columns: TransactionColumns) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        values = np.empty((len(columns), len(self._feature_set)), np.float32)
        status = np.zeros(len(columns), np.uint8)
        self._profiles.fill(columns, values)
        self.cards.advance(columns, values, status)
        return values, status

    def _misrouted(self, keys: Sequence[bytes]) -> NDArray[np.bool_]:
        """Rows whose card belongs to another partition: another partitioner wrote them and split its windows."""
        return np.asarray(murmur2.murmur2_partitions(keys, self.identity.partitions) != self.identity.partition)

    def _messages(
        self,
        transactions: Sequence[Transaction],
        offsets: NDArray[np.int64],
        model: LoadedModel,
        score: NDArray[np.float32],
        decision: NDArray[np.uint8],
        values: NDArray[np.float32],
        status: NDArray[np.uint8],
        degraded: NDArray[np.bool_],
        now_ms: int,
    ) -> list[bytes]:
        reasons = self._reason_codes(model, decision, values)
        scaled = np.minimum(score * 1000.0, 999.0).astype(np.int64)
        duplicate = (status & DUPLICATE).astype(np.bool_)
        columns = (column.tolist() for column in (offsets, score, scaled, decision, degraded, duplicate))
        identity, encode, no_reasons = self.identity, wire.encode, list[ReasonCode]()
        version, feature_set = model.version, self._feature_set.version
        messages = []
        for row, (t, offset, s, s999, code, bad, again) in enumerate(zip(transactions, *columns, strict=True)):
            record = Score(
                t.transaction_id, t.event_time, t.card_id, s, s999, DECISIONS[code], reasons.get(row, no_reasons),
                version, feature_set, "champion", now_ms, bad, again, offset, identity.epoch, identity.writer,
            )  # fmt: skip
            messages.append(encode(record))
        return messages

    def _reason_codes(
        self, model: LoadedModel, decision: NDArray[np.uint8], values: NDArray[np.float32]
    ) -> dict[int, list[ReasonCode]]:
        flagged = np.flatnonzero(decision)
        if not len(flagged):
            return {}
        names = self._feature_set.names
        explained = model.explain(values[flagged], top=self._reasons)
        return {
            int(row): [
                ReasonCode(self._codes[index], names[index], _finite(values[row, index]), round(float(contribution), 4))
                for index, contribution in contributions
            ]
            for row, contributions in zip(flagged, explained, strict=True)
        }

    def _feature_message(
        self, transactions: Sequence[Transaction], rows: ScoredColumns, first: int, last: int
    ) -> FeatureMessage:
        identity = self.identity
        header = FeatureBatchHeader(
            first, last, identity.epoch, identity.writer, identity.topic_id, self._feature_set.version, rows.recomputed
        )
        return FeatureMessage(header, self._encoder.encode(transactions, rows))


def _take_draw(scored: Scored, drawn: Draw) -> None:
    scored.flagged = int(np.count_nonzero(drawn.decision))
    scored.control = int(np.count_nonzero(drawn.control))
    scored.control_used, scored.marks, scored.drawable = drawn.used, drawn.marks, drawn.drawable


def _finite(value: np.float32) -> float:
    """A value JSON can carry: an absent feature value reads 0."""
    return round(float(value), 6) if np.isfinite(value) else 0.0
