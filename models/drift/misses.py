"""Did the model begin to miss fraud? Misses by cell of every feature, over one, three and seven matured days."""

from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from models.drift.bins import CELLS
from models.drift.day_counts import Cells, MissCounts

WINDOWS_DAYS: Final = (1, 3, 7)
"""One day for a flood, a week for a trickle."""
LOOK_BACK_DAYS: Final = 21
"""How far back a change is looked for once it is found."""
LEAST_EXCESS_SHARE: Final = 0.05
"""Effect size: misses beyond the expected must be this share of the frauds expected in the window."""
_ANSCOMBE: Final = 0.375
TOTAL: Final = -1
"""Column of a finding about all rows together."""


class MissReference(msgspec.Struct, frozen=True):
    """Misses on the out-of-sample reference, for each row.

    Attributes
    ----------
    rows, days, frauds: size of the reference.
    misses, squares: [F + 1][CELLS] sums over the reference, as in `MissCounts`.
    dispersion: for each of WINDOWS_DAYS [(F + 1) * CELLS + 1] by how much the misses of a window vary more than single,
        independent ones would, at least 1: weekdays, and what comes in bursts.
    limit: studentised excess from which on an alarm is raised; by the budget for all cells and windows together.
    """

    rows: int
    days: int
    frauds: int
    misses: list[list[float]]
    squares: list[list[float]]
    dispersion: list[list[float]]
    limit: float


@dataclass(frozen=True, slots=True)
class MissFinding:
    """More misses than the reference promises.

    Attributes
    ----------
    column, cell: where; TOTAL and 0 for all rows together.
    window_days: matured days that it is taken over.
    statistic: studentised excess.
    expected, observed: misses in the window.
    since_days: matured days back to the most likely change, the last one counted as 1.
    """

    column: int
    cell: int
    window_days: int
    statistic: float
    expected: float
    observed: float
    since_days: int


class TotalMisses(NamedTuple):
    """Studentised excess of all misses together; how many are expected, and how many came."""

    statistic: float
    expected: float
    observed: float


class MissArithmetic:
    """The reference as arrays, and the studentised excess over it.

    Parameters
    ----------
    rows, frauds: of the reference.
    misses, squares: [F + 1, CELLS] sums over it.
    dispersion: of each window in WINDOWS_DAYS, as in `MissReference`.
    """

    def __init__(
        self, rows: int, frauds: float, misses: Cells, squares: Cells, dispersion: npt.NDArray[np.float64]
    ) -> None:
        self.rows = rows
        self.frauds_per_row = frauds / rows
        self.per_row = with_total(misses / rows)
        self._unit = miss_unit(misses, squares)
        self._spread = dict(zip(WINDOWS_DAYS, np.sqrt(dispersion), strict=True))

    @classmethod
    def of(cls, reference: MissReference) -> "MissArithmetic":
        """Read a reference."""
        sums = np.array(reference.misses), np.array(reference.squares)
        return cls(reference.rows, reference.frauds, *sums, np.array(reference.dispersion))

    def excess(
        self, misses: npt.NDArray[np.floating], rows: npt.NDArray[np.floating] | float, window_days: int
    ) -> npt.NDArray[np.float64]:
        """Return the studentised excess of each cell, float64[..., (F + 1) * CELLS + 1]; the last is the total.

        Misses come one by one and most cells hold few: their square root has the same variance wherever they are few or
        many, so one limit fits all cells. What lies below the effect size counts as none.

        References
        ----------
        Anscombe: The transformation of Poisson, binomial and negative-binomial data, Biometrika 1948.
        """
        n = np.asarray(rows, np.float64)[..., None]
        expected = self.per_row * n
        too_small = misses - expected < LEAST_EXCESS_SHARE * self.frauds_per_row * n
        roots = np.sqrt(misses / self._unit + _ANSCOMBE) - np.sqrt(expected / self._unit + _ANSCOMBE)
        # A stretch that is no window has the spread of the next longer one.
        spread = self._spread[min((days for days in WINDOWS_DAYS if days >= window_days), default=WINDOWS_DAYS[-1])]
        return np.asarray(np.where(too_small, 0.0, 2.0 * roots / (spread * np.sqrt(1.0 + n / self.rows))))


class MissTest:
    """Follows one model's matured days.

    Parameters
    ----------
    reference: what the model was used to.
    """

    def __init__(self, reference: MissReference) -> None:
        self._reference = MissArithmetic.of(reference)
        self._limit = reference.limit
        self._days: deque[tuple[int, npt.NDArray[np.float64]]] = deque(maxlen=LOOK_BACK_DAYS)

    def observe(self, counts: MissCounts, most: int = 5) -> list[MissFinding]:
        """Take the next matured day; return the cells beyond the limit, strongest first and at most `most`."""
        self._days.append((counts.rows, with_total(counts.misses)))
        beyond: dict[int, tuple[float, int]] = {}
        for window in WINDOWS_DAYS:
            if len(self._days) < window:
                break
            excess, _, _ = self._window(window)
            for place in np.flatnonzero(excess >= self._limit).tolist():
                if place not in beyond or beyond[place][0] < excess[place]:
                    beyond[place] = float(excess[place]), window
        # A change that shows in one feature shows in hundreds of cells: only those that are told are looked into.
        strongest = sorted(beyond.items(), key=lambda one: -one[1][0])[:most]
        return [self._finding(place, window, statistic) for place, (statistic, window) in strongest]

    def total_excess(self, window_days: int) -> float:
        """Studentised excess of all misses together over the last matured days."""
        return float(self._window(min(window_days, len(self._days)))[0][-1]) if self._days else 0.0

    def total(self, window_days: int) -> TotalMisses:
        """Return all misses together over the last matured days."""
        days = min(window_days, len(self._days))
        excess, rows, misses = self._window(days)
        return TotalMisses(float(excess[-1]), float(self._reference.per_row[-1] * rows), float(misses[-1]))

    def _window(self, days: int) -> tuple[npt.NDArray[np.float64], int, npt.NDArray[np.float64]]:
        last = list(self._days)[-days:]
        rows = sum(rows for rows, _ in last)
        misses = np.asarray(np.sum([misses for _, misses in last], axis=0))
        return self._reference.excess(misses, rows, days), rows, misses

    def _finding(self, place: int, window: int, statistic: float) -> MissFinding:
        _, rows, misses = self._window(window)
        column, cell = (TOTAL, 0) if place == len(self._reference.per_row) - 1 else divmod(place, CELLS)
        back = [float(self._window(days)[0][place]) for days in range(1, len(self._days) + 1)]
        return MissFinding(
            column=column,
            cell=cell,
            window_days=window,
            statistic=statistic,
            expected=float(self._reference.per_row[place] * rows),
            observed=float(misses[place]),
            since_days=int(np.argmax(back)) + 1,
        )


def with_total(cells: Cells) -> npt.NDArray[np.float64]:
    """Return the cells in a row, and behind them the sum of all misses: that of any one column."""
    return np.asarray(np.concatenate((cells.ravel(), [cells[0].sum()])))


def miss_unit(misses: Cells, squares: Cells) -> float:
    """Return the size of a typical miss: its weight on average, counted by weight."""
    return float(squares[0].sum() / misses[0].sum()) if misses[0].sum() else 1.0


def dispersion(
    days: npt.NDArray[np.float64], unit: float, floor: npt.NDArray[np.float64] | float = 1.0
) -> npt.NDArray[np.float64]:
    """Return the dispersion for each window, float64[windows, C], from the misses of the reference's days [D, C].

    Parameters
    ----------
    days: misses of each day and cell.
    unit: size of a typical miss.
    floor: least dispersion, of all cells or of each; 1 is that of single, independent misses.
    """
    sums = np.concatenate((np.zeros((1, days.shape[1])), np.cumsum(days / unit, axis=0)))
    windows = [sums[window:] - sums[:-window] for window in WINDOWS_DAYS]
    ratios = [part.var(axis=0) / np.maximum(part.mean(axis=0), 1.0) for part in windows]
    return np.asarray(np.maximum(floor, np.array(ratios)))
