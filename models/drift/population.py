"""Did what comes change? Population stability of every feature and of the score, unseen codes, gaps, volume."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.drift.bins import MISSING, UNSEEN
from models.drift.day_counts import Cells, PopulationCounts
from models.schema.drift_event import DriftKind

WINDOW_DAYS: Final = 7
"""Whole weeks, so that weekdays never look like a shift."""
LEAST_PSI: Final = 0.1
"""Effect size: a smaller population stability index is commonly read as no shift."""
LEAST_SCORE_PSI: Final = 0.2
"""The same for the score: its reference comes from sister fits, whose lowest scores lie a little elsewhere (.10 on the
handbook's data, where nothing changes)."""
LEAST_UNSEEN_SHARE: Final = 0.001
LEAST_UNSEEN_ROWS: Final = 20
LEAST_MISSING_RISE: Final = 0.02
LEAST_VOLUME_CHANGE: Final = 0.3
DEVIATIONS: Final = 5.0
"""Of the daily figures of the reference; at 28 days of it a normal figure passes five deviations once in many years."""
_SMOOTHING: Final = 1e-4


class PopulationReference(msgspec.Struct, frozen=True):
    """What came in the reference.

    Attributes
    ----------
    rows: of all its days.
    shares: [F + 1][CELLS] share of the rows in each cell.
    psi_limits: [F + 1] index over a week from which on a column warns; by the budget for all columns together, and
        never below LEAST_PSI or twice what one week of the reference differs from the others.
    missing_limits: [F + 1] share of unknown values of a day from which on a column warns.
    volume: [7] least and most rows of a day, by weekday (day of the reference modulo 7, from its first day's weekday).
    """

    rows: int
    shares: list[list[float]]
    psi_limits: list[float]
    missing_limits: list[float]
    volume: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class PopulationFinding:
    """Something that came otherwise than in the reference.

    Attributes
    ----------
    kind: population, score, category, missing or volume.
    column: where; -1 for the volume.
    cell: the cell that differs most; -1 for the volume.
    statistic, limit: index, share or rows, and what it passed.
    expected, observed: share of that cell, or rows.
    """

    kind: DriftKind
    column: int
    cell: int
    statistic: float
    limit: float
    expected: float
    observed: float


@dataclass(frozen=True, slots=True, eq=False)
class PopulationDay:
    """What was computed of a day, beyond its limit or not.

    Attributes
    ----------
    window_days: days that `stability` is taken over; it is None until they are WINDOW_DAYS.
    stability: float64[F + 1] population stability index of each column.
    missing: float64[F + 1] share of the day's values that are unknown.
    unseen: float64[F + 1] values of the day that the reference does not hold.
    unseen_limit: rows from which on a column's unseen values warn.
    volume: least and most rows of such a weekday.
    """

    window_days: int
    stability: npt.NDArray[np.float64] | None
    missing: npt.NDArray[np.float64]
    unseen: npt.NDArray[np.float64]
    unseen_limit: float
    volume: tuple[float, float]


class PopulationTest:
    """Follows the days that a model scores; tells what is beyond its limit at the end of each.

    Parameters
    ----------
    reference: what the model was used to.
    """

    def __init__(self, reference: PopulationReference) -> None:
        self._reference = reference
        self._shares = np.array(reference.shares)
        self._days: deque[PopulationCounts] = deque(maxlen=WINDOW_DAYS)
        self.last: PopulationDay | None = None
        """What was computed of the last day; None before the first."""

    def observe(self, day: int, counts: PopulationCounts) -> list[PopulationFinding]:
        """Take an event day (days since 1970) and return its findings, the largest over its limit first."""
        self._days.append(counts)
        window = np.sum([one.cells for one in self._days], axis=0)
        parts = stability_parts(self._shares, window)
        computed = self.last = PopulationDay(
            window_days=len(self._days),
            stability=parts.sum(axis=1) if len(self._days) == WINDOW_DAYS else None,
            missing=counts.cells[:, MISSING] / max(counts.rows, 1),
            unseen=counts.cells[:, UNSEEN],
            unseen_limit=max(LEAST_UNSEEN_ROWS, LEAST_UNSEEN_SHARE * counts.rows),
            volume=self._reference.volume[day % 7],
        )
        found = [*_volume(computed, counts.rows), *_unseen(computed), *self._missing(computed)]
        if computed.stability is not None:
            found += self._shifts(computed.stability, parts, window)
        return sorted(found, key=lambda one: -one.statistic / max(one.limit, 1e-12))

    def _shifts(self, stability: npt.NDArray[np.float64], parts: Cells, window: Cells) -> list[PopulationFinding]:
        found = []
        for column in np.flatnonzero(stability >= self._reference.psi_limits).tolist():
            cell = int(parts[column].argmax())
            kind: DriftKind = "score" if column == len(stability) - 1 else "population"
            limit, total = self._reference.psi_limits[column], window[column].sum()
            expected, observed = float(self._shares[column, cell]), float(window[column, cell] / total)
            found.append(PopulationFinding(kind, column, cell, float(stability[column]), limit, expected, observed))
        return found

    def _missing(self, computed: PopulationDay) -> list[PopulationFinding]:
        share, limits = computed.missing, self._reference.missing_limits
        return [
            PopulationFinding(
                "missing",
                column,
                MISSING,
                float(share[column]),
                limits[column],
                float(self._shares[column, MISSING]),
                float(share[column]),
            )
            for column in np.flatnonzero(share >= limits).tolist()
        ]


def _unseen(computed: PopulationDay) -> list[PopulationFinding]:
    limit, unseen = computed.unseen_limit, computed.unseen
    return [
        PopulationFinding("category", column, UNSEEN, float(unseen[column]), limit, 0.0, float(unseen[column]))
        for column in np.flatnonzero(unseen >= limit).tolist()
    ]


def _volume(computed: PopulationDay, rows: int) -> list[PopulationFinding]:
    low, high = computed.volume
    if low <= rows <= high:
        return []
    limit = low if rows < low else high
    return [PopulationFinding("volume", -1, -1, float(rows), limit, (low + high) / 2, float(rows))]


def stability_parts(shares: Cells, counts: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return what each cell adds to its column's population stability index, float64[..., F, CELLS].

    Parameters
    ----------
    shares: [F, CELLS] of the reference; each row sums to 1.
    counts: [..., F, CELLS] of the window.

    References
    ----------
    Siddiqi: Credit Risk Scorecards, 2006 (the index and its rule of thumb).
    """
    now = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0)
    difference = now - shares
    return np.asarray(difference * np.log((now + _SMOOTHING) / (shares + _SMOOTHING)))
