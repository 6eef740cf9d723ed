"""One partition's scoring: records in; scores, feature rows and dead letters out; knows no Kafka, Faust or Redis."""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.control_group import NO_CONTROL_GROUP, ControlGroup, Draw, PassMark
from models.features.card_state import CardState
from models.features.card_windows import DUPLICATE, LATE, TOO_LATE
from models.features.feature_set import FeatureSet
from models.features.profile_table import ProfileTable
from models.schema import murmur2, wire
from models.schema.columns import TransactionColumns
from models.schema.decoding import Rejection, decode_transactions
from models.schema.feature_batch import DECISIONS, FeatureBatchEncoder, FeatureBatchHeader, ScoredColumns
from models.schema.money import ReportingCurrency
from models.schema.score import ReasonCode, Role, Score
from models.schema.topics import DAY_MS, LONGEST_WINDOW_DAYS
from models.schema.transaction_fields import TransactionFields
from models.scorer import LoadedModel, ScoringError
from stream_app.scoring.batch_scores import BatchScores, ModelFailure, Name, score_batch
from stream_app.scoring.feature_buffer import FeatureBuffer, LoggedRows
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.reasons import Reasons


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records of one partition, as one poll brought them.

    `overdue` says that the first has waited longer than the age limit and that more wait behind the last: the worker is
    above its capacity, or catches up.
    """

    partition: int
    generation: int
    offsets: NDArray[np.int64]
    keys: list[bytes | None]
    values: list[bytes | None]
    overdue: bool = False

    @classmethod
    def empty(cls, partition: int, generation: int) -> "RecordBatch":
        """No records: what the lane's log holds back is to go out."""
        return cls(partition, generation, np.zeros(0, np.int64), [], [])

    def since(self, offset: int) -> "RecordBatch":
        """The records at and above an offset."""
        start = int(np.searchsorted(self.offsets, offset))
        if start == 0:
            return self
        return RecordBatch(
            self.partition, self.generation, self.offsets[start:], self.keys[start:], self.values[start:], self.overdue
        )


class PublishedScore(NamedTuple):
    """What `scores` already holds for an offset whose feature row is missing."""

    score: float
    decision: str
    model_version: str
    pass_probability: float = 1.0
    role: Role = "champion"


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

    `held` says that feature rows of offsets below it are not among `features` yet: they come with a later batch.
    `control_used` are the control group's day counts before the batch, `marks` the rows of `scores` that were drawn,
    `drawable` those that would have been with room under the day's cap, `event_time` is that of the row in the middle.
    `model_seconds` is what each model took while some are placed, `model_failures` those that could not be used.
    """

    next_offset: int
    scores: list[tuple[bytes, bytes]] = field(default_factory=list)
    features: list[FeatureMessage] = field(default_factory=list)
    dead: list[DeadRecord] = field(default_factory=list)
    held: bool = False
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
    model_seconds: Mapping[str, float] = field(default_factory=dict)
    model_failures: list[ModelFailure] = field(default_factory=list)


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
    clock:
        Seconds that only grow, for what each model takes.
    log:
        Holds feature rows back for a while; None sends those of each batch with its scores.
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
        clock: Callable[[], float] = time.perf_counter,
        log: FeatureBuffer | None = None,
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
        self._reasons = Reasons(feature_set, reasons)
        self._control = control or ControlGroup(NO_CONTROL_GROUP, day_cap=0)
        self.log = FeatureBuffer() if log is None else log
        self._clock = clock
        self._encoder = FeatureBatchEncoder(feature_set.names)

    def score(self, batch: RecordBatch, lineup: Lineup, *, stale: bool, now_ms: int) -> Scored:
        """Advance over one batch.

        Parameters
        ----------
        batch:
            Records in offset order; those already seen are passed over. One without any lets go what the log holds.
        lineup:
            The models that score and decide.
        stale:
            Whether the registry has been silent for too long: scores are marked degraded.
        now_ms:
            Wall clock, for `scored_at`.
        """
        last_call = not len(batch.offsets)
        batch = batch.since(self.next_offset)
        scored = Scored(next_offset=self.next_offset)
        if last_call:
            scored.features = [self._feature_message(rows) for rows in self.log.take()]
        elif len(batch.offsets):
            self._advance(batch, lineup, scored, stale=stale, now_ms=now_ms)
        scored.held = bool(self.log)
        return scored

    def _advance(self, batch: RecordBatch, lineup: Lineup, scored: Scored, *, stale: bool, now_ms: int) -> None:
        fresh = batch.since(self.start.output_offset)
        replayed = len(batch.offsets) - len(fresh.offsets)
        if replayed:
            self._replay(batch, replayed, scored)
        if len(fresh.offsets):
            self._score_fresh(fresh, lineup, scored, stale=stale, now_ms=now_ms)
        self.next_offset = scored.next_offset = int(batch.offsets[-1]) + 1

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
        columns = self._columns(TransactionFields.of(transactions))
        offsets = batch.offsets[indices]
        rows = [row for row, offset in enumerate(offsets.tolist()) if offset in self.start.missing]
        if not rows:
            self.cards.advance(columns, None, np.zeros(len(columns), np.uint8))
            return
        values, _ = self._features(columns)
        recomputed = TransactionFields.of([transactions[row] for row in rows])
        scored.features.append(self._recomputed(recomputed, offsets[rows], values[rows]))

    def _recomputed(
        self, taken: TransactionFields, offsets: NDArray[np.int64], values: NDArray[np.float32]
    ) -> FeatureMessage:
        """Feature rows that a crash kept from `features`, each proved by its score coming out equal."""
        published = [self.start.missing[int(offset)] for offset in offsets]
        versions = [entry.model_version for entry in published]
        expected = np.array([entry.score for entry in published], np.float32)
        score = np.full(len(published), np.nan, np.float32)
        for version, model in self.start.models.items():
            mine = [row for row, name in enumerate(versions) if name == version]
            if mine:
                # Other profiles than at first may lead a model to what is no number: such a row is not verified.
                with contextlib.suppress(ScoringError):
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
            role=[entry.role for entry in published],
            model_version=versions,
            profiles_as_of=self._profiles.as_of,
            recomputed=True,
            verified=score == expected,
            control=(decision == DECISIONS.index("approve")) & (chance < 1.0),
            pass_probability=chance,
        )
        return self._feature_message(LoggedRows(taken, columns, int(offsets[0]), int(offsets[-1]), {}))

    def _score_fresh(self, batch: RecordBatch, lineup: Lineup, scored: Scored, *, stale: bool, now_ms: int) -> None:
        transactions, indices, rejections = decode_transactions(batch.values, self._currency)
        scored.dead = [DeadRecord(int(batch.offsets[r.index]), batch.keys[r.index], r) for r in rejections]
        first, last = self._reported, int(batch.offsets[-1])
        self._reported = last + 1
        offsets = batch.offsets[indices] if rejections else batch.offsets
        taken = TransactionFields.of(transactions)
        columns = self._columns(taken)
        values, status = self._features(columns)
        said = score_batch(lineup, values, taken.card_id, self._clock)
        drawn = self._control.draw(said.asked, said.score, columns.amount, transactions)
        keys = list(map(str.encode, taken.card_id))
        misrouted = self._misrouted(keys)
        degraded = misrouted | stale | batch.overdue | said.degraded | (columns.event_time < (self.cold_before or 0))
        # To explain a row costs what the model takes for twenty: what is overdue goes without.
        reasons, unexplained = ({}, []) if batch.overdue else self._reasons.of(said, lineup, drawn.decision, values)
        scored.model_seconds, scored.model_failures = said.seconds, [*said.failures, *unexplained]
        records = self._messages(taken, offsets, said, drawn.decision, reasons, status, degraded, now_ms)
        scored.scores = list(zip(keys, records, strict=True))
        _take_draw(scored, drawn)
        scored.event_time = int(columns.event_time[len(columns) // 2]) if transactions else 0
        scored.duplicates = int(np.count_nonzero(status & DUPLICATE))
        scored.late = int(np.count_nonzero(status & LATE))
        scored.too_late = int(np.count_nonzero(status & TOO_LATE))
        scored.misrouted = int(np.count_nonzero(misrouted))
        if scored.misrouted:
            scored.misrouted_card = taken.card_id[int(np.argmax(misrouted))]
        scored.degraded = int(np.count_nonzero(degraded))
        rows = ScoredColumns(
            source_offset=offsets,
            score=said.score,
            decision=drawn.decision,
            values=values,
            writer=self.identity.writer,
            epoch=self.identity.epoch,
            role=said.role,
            model_version=said.model_version,
            profiles_as_of=self._profiles.as_of,
            recomputed=False,
            verified=True,
            control=drawn.control,
            pass_probability=drawn.pass_probability,
            shadow_scores=said.shadow,
        )
        logged = self.log.add(LoggedRows(taken, rows, first, last, said.seconds))
        scored.features += map(self._feature_message, logged)

    def _columns(self, taken: TransactionFields) -> TransactionColumns:
        columns = TransactionColumns.from_fields(taken, self._currency)
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
        taken: TransactionFields,
        offsets: NDArray[np.int64],
        said: BatchScores,
        decision: NDArray[np.uint8],
        reasons: Mapping[int, list[ReasonCode]],
        status: NDArray[np.uint8],
        degraded: NDArray[np.bool_],
        now_ms: int,
    ) -> list[bytes]:
        scaled = np.minimum(said.score * 1000.0, 999.0).astype(np.int64)
        duplicate = (status & DUPLICATE).astype(np.bool_)
        columns = (column.tolist() for column in (offsets, said.score, scaled, decision, degraded, duplicate))
        identity, encode, no_reasons = self.identity, wire.encode, list[ReasonCode]()
        feature_set = self._feature_set.version
        rows = zip(taken.transaction_id, taken.event_time, taken.card_id, *columns, strict=True)
        messages = []
        for row, ((transaction, at, card, offset, s, s999, code, bad, again), version, role) in enumerate(
            zip(rows, _each_row(said.model_version), _each_row(said.role), strict=False)
        ):
            record = Score(
                transaction, at, card, s, s999, DECISIONS[code], reasons.get(row, no_reasons),
                version, feature_set, role, now_ms, bad, again, offset, identity.epoch, identity.writer,
            )  # fmt: skip
            messages.append(encode(record))
        return messages

    def _feature_message(self, rows: LoggedRows) -> FeatureMessage:
        identity, feature_set = self.identity, self._feature_set.version
        model_us = {version: s / len(rows.taken) * 1e6 for version, s in rows.model_seconds.items()}
        header = FeatureBatchHeader(
            rows.first, rows.last, identity.epoch, identity.writer, identity.topic_id, feature_set,
            rows.scored.recomputed, model_us,
        )  # fmt: skip
        return FeatureMessage(header, self._encoder.encode(rows.taken, rows.scored))


def _each_row(name: list[Name] | Name) -> Iterable[Name]:
    return name if isinstance(name, list) else itertools.repeat(name)


def _take_draw(scored: Scored, drawn: Draw) -> None:
    scored.flagged = int(np.count_nonzero(drawn.decision))
    scored.control = int(np.count_nonzero(drawn.control))
    scored.control_used, scored.marks, scored.drawable = drawn.used, drawn.marks, drawn.drawable
