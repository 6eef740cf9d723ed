"""Scores what one poll brought of several partitions in one pass.

A call costs the same for a dozen rows as for one, and there are some fifty calls between a record and its score. At
5,000 events a second a poll brings four partitions a dozen records each: scored one partition after the other, they
took 4.5 ms. Only what belongs to a partition (windows, control group, feature log) is done partition by partition.
"""

import itertools
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.control_group import Draw
from models.features.card_windows import DUPLICATE, LATE, TOO_LATE
from models.features.feature_set import FeatureSet
from models.features.profile_table import ProfileTable
from models.schema.columns import TransactionColumns
from models.schema.decoding import Rejection, decode_transactions
from models.schema.feature_batch import FeatureBatchEncoder, FeatureBatchHeader, ScoredColumns
from models.schema.money import ReportingCurrency
from models.schema.murmur2 import murmur2_column
from models.schema.transaction import Transaction
from models.schema.transaction_fields import TransactionFields
from stream_app.scoring.batch_scores import BatchScores, score_batch
from stream_app.scoring.feature_buffer import LoggedRows, joined
from stream_app.scoring.lane import Lane, LaneIdentity
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.reasons import Reasons
from stream_app.scoring.record_batch import DeadRecord, FeatureMessage, RecordBatch, Scored
from stream_app.scoring.replay import replay
from stream_app.scoring.score_records import Origin, score_records
from stream_app.telemetry.traces import span

_T = TypeVar("_T")


@dataclass(slots=True)
class _Share:
    """What one partition has of the rows that are scored together."""

    lane: Lane
    batch: RecordBatch
    scored: Scored
    rows: slice = field(default_factory=lambda: slice(0, 0))
    count: int = 0


@dataclass(frozen=True, slots=True)
class _Rows:
    """The n rows of all shares, one share after the other, and what is known of them before a model is asked."""

    transactions: Sequence[Transaction]
    taken: TransactionFields
    columns: TransactionColumns
    offsets: NDArray[np.int64]
    values: NDArray[np.float32]
    status: NDArray[np.uint8]


class JointScoring:
    """Scores for all partitions of a worker; what each of them keeps is in its lane.

    Parameters
    ----------
    feature_set:
        What is computed.
    profiles:
        Terminal profiles.
    currency:
        Converts amounts to the reporting currency.
    reasons:
        Most reason codes on a flagged score.
    clock:
        Seconds that only grow, for what each model takes.
    """

    def __init__(
        self,
        feature_set: FeatureSet,
        profiles: ProfileTable,
        currency: ReportingCurrency,
        reasons: int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._feature_set = feature_set
        self._profiles = profiles
        self._currency = currency
        self._reasons = Reasons(feature_set, reasons)
        self._clock = clock
        self._encoder = FeatureBatchEncoder(feature_set.names)

    def score(
        self, turns: Sequence[tuple[Lane, RecordBatch]], lineup: Lineup, *, stale: bool, now_ms: int
    ) -> list[Scored]:
        """Advance some lanes, each over one batch.

        Parameters
        ----------
        turns:
            Lanes, each once, and their records in offset order; those already seen are passed over. A batch without
            any lets go what the lane's log holds.
        lineup:
            The models that score and decide.
        stale:
            Whether the registry has been silent for too long: scores are marked degraded.
        now_ms:
            Wall clock, for `scored_at`.

        Returns
        -------
        What came of each turn, in their order.
        """
        found, shares = [], []
        for lane, batch in turns:
            known, fresh = lane.take(batch)
            scored = Scored(next_offset=lane.next_offset)
            found.append(scored)
            if not len(batch.offsets):
                scored.logged += lane.log.take()
            if known is not None:
                recomputed = replay(lane, known, self._profiles, self._currency)
                scored.logged += [] if recomputed is None else [[recomputed]]
            if fresh is not None:
                shares.append(_Share(lane, fresh, scored))
        if shares:
            self._score(shares, lineup, stale=stale, now_ms=now_ms)
        for (lane, _), scored in zip(turns, found, strict=True):
            scored.held = bool(lane.log)
        return found

    def log(self, turns: Sequence[tuple[Lane, Scored]]) -> None:
        """Make the feature messages of what `score` found. Nobody waits for them: scores are sent before."""
        if not any(scored.logged for _, scored in turns):
            return
        with span("encode features"):
            for lane, scored in turns:
                scored.features = [self._message(lane.identity, joined(rows)) for rows in scored.logged]

    def _score(self, shares: Sequence[_Share], lineup: Lineup, *, stale: bool, now_ms: int) -> None:
        rows = self._rows(shares)
        taken, columns, values = rows.taken, rows.columns, rows.values
        with span("model"):
            said = score_batch(lineup, values, taken.card_id, self._clock)
        draws = [
            one.lane.control.draw(
                said.asked[one.rows], said.score[one.rows], columns.amount[one.rows], rows.transactions[one.rows]
            )
            for one in shares
        ]
        decision = _joined([draw.decision for draw in draws])
        keys = list(map(str.encode, taken.card_id))
        misrouted = _misrouted(keys, shares)
        degraded, explained = misrouted | said.degraded | stale, decision.copy()
        for one in shares:
            if one.lane.cold_before:
                degraded[one.rows] |= columns.event_time[one.rows] < one.lane.cold_before
            if one.batch.overdue:
                # To explain a row costs what the model takes for twenty: what is overdue goes without.
                degraded[one.rows], explained[one.rows] = True, 0
        with span("reasons"):
            reasons, unexplained = self._reasons.of(said, lineup, explained, values)
        shares[0].scored.model_failures = [*said.failures, *unexplained]
        identities = [(one.lane.identity, one.count) for one in shares]
        origin = Origin(
            rows.offsets,
            _repeated((identity.epoch, count) for identity, count in identities),
            _repeated((identity.writer, count) for identity, count in identities),
        )
        duplicate = (rows.status & DUPLICATE).astype(np.bool_)
        with span("encode scores"):
            records = score_records(
                taken, origin, said, decision, reasons, degraded, duplicate, self._feature_set.version, now_ms
            )
        scores = list(zip(keys, records, strict=True))
        found = self._found(rows, said, decision, draws)
        for one, draw in zip(shares, draws, strict=True):
            one.scored.scores = scores[one.rows]
            seconds = {v: s * one.count / len(columns) for v, s in said.seconds.items() if one.count}
            one.scored.model_seconds = seconds
            _count(one, rows, draw, misrouted[one.rows], degraded[one.rows])
            last = int(one.batch.offsets[-1])
            logged = LoggedRows(taken, found, one.lane.reported(last), last, seconds, one.rows)
            one.scored.logged += one.lane.log.add(logged)

    def _rows(self, shares: Sequence[_Share]) -> _Rows:
        with span("decode"):
            transactions, indices, rejections = decode_transactions(
                list(itertools.chain.from_iterable(one.batch.values for one in shares)), self._currency
            )
        _bury(shares, rejections)
        _place(shares, indices)
        offsets = _joined([one.batch.offsets for one in shares])
        with span("features"):
            taken = TransactionFields.of(transactions)
            columns = TransactionColumns.from_fields(taken, self._currency)
            values = np.empty((len(columns), len(self._feature_set)), np.float32)
            self._profiles.fill(columns, values)
            status = _joined(
                [one.lane.advance(columns.slice(one.rows.start, one.rows.stop), values[one.rows]) for one in shares]
            )
        return _Rows(transactions, taken, columns, offsets[indices] if rejections else offsets, values, status)

    def _found(
        self, rows: _Rows, said: BatchScores, decision: NDArray[np.uint8], draws: Sequence[Draw]
    ) -> ScoredColumns:
        """What was found for the rows of all shares; who logs it, and in which epoch, its message says."""
        return ScoredColumns(
            source_offset=rows.offsets,
            score=said.score,
            decision=decision,
            values=rows.values,
            writer="",
            epoch=0,
            role=said.role,
            model_version=said.model_version,
            profiles_as_of=self._profiles.as_of,
            recomputed=False,
            verified=True,
            control=_joined([draw.control for draw in draws]),
            pass_probability=_joined([draw.pass_probability for draw in draws]),
            shadow_scores=said.shadow,
        )

    def _message(self, identity: LaneIdentity, rows: LoggedRows) -> FeatureMessage:
        feature_set = self._feature_set.version
        model_us = {version: s / len(rows) * 1e6 for version, s in rows.model_seconds.items()}
        header = FeatureBatchHeader(
            rows.first, rows.last, identity.epoch, identity.writer, identity.topic_id, feature_set,
            rows.scored.recomputed, model_us,
        )  # fmt: skip
        scored = replace(rows.scored, writer=identity.writer, epoch=identity.epoch)
        return FeatureMessage(header, self._encoder.encode(rows.taken, scored))


def _bury(shares: Sequence[_Share], rejections: Iterable[Rejection]) -> None:
    """Give each share what was refused of it; a rejection's index counts the records of all of them."""
    ends = list(itertools.accumulate(len(one.batch.offsets) for one in shares))
    for rejection in rejections:
        at = bisect_right(ends, rejection.index)
        batch = shares[at].batch
        own = rejection._replace(index=rejection.index - (ends[at] - len(batch.offsets)))
        shares[at].scored.dead.append(DeadRecord(int(batch.offsets[own.index]), batch.keys[own.index], own))


def _place(shares: Sequence[_Share], indices: Sequence[int]) -> None:
    """Tell each share which rows are its: those of the accepted records, by their index among all records."""
    start = end = 0
    for one in shares:
        end += len(one.batch.offsets)
        stop = bisect_right(indices, end - 1)
        one.rows, one.count, start = slice(start, stop), stop - start, stop


def _misrouted(keys: Sequence[bytes], shares: Sequence[_Share]) -> NDArray[np.bool_]:
    """Rows whose card belongs to another partition: another partitioner wrote them and split its windows."""
    hashes = murmur2_column(keys)
    parts = [hashes[one.rows] % one.lane.identity.partitions != one.lane.identity.partition for one in shares]
    return _joined(parts)


def _count(one: _Share, rows: _Rows, draw: Draw, misrouted: NDArray[np.bool_], degraded: NDArray[np.bool_]) -> None:
    scored, status = one.scored, rows.status[one.rows]
    scored.event_time = int(rows.columns.event_time[one.rows.start + one.count // 2]) if one.count else 0
    if np.count_nonzero(status):
        scored.duplicates = int(np.count_nonzero(status & DUPLICATE))
        scored.late = int(np.count_nonzero(status & LATE))
        scored.too_late = int(np.count_nonzero(status & TOO_LATE))
    scored.misrouted = int(np.count_nonzero(misrouted))
    if scored.misrouted:
        scored.misrouted_card = rows.taken.card_id[one.rows.start + int(np.argmax(misrouted))]
    scored.degraded = int(np.count_nonzero(degraded))
    scored.flagged = int(np.count_nonzero(draw.decision))
    scored.control = int(np.count_nonzero(draw.control))
    scored.control_used, scored.marks, scored.drawable = draw.used, draw.marks, draw.drawable


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _repeated(of_share: Iterable[tuple[_T, int]]) -> Iterable[_T]:
    return itertools.chain.from_iterable(itertools.starmap(itertools.repeat, of_share))
