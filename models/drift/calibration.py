"""Limits by a budget of false alarms: what the joint maximum of all tests does on days resampled from the reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.drift.bins import Codes
from models.drift.day_counts import Misses, count_cells
from models.drift.misses import WINDOWS_DAYS, MissArithmetic, with_total
from models.drift.population import LEAST_PSI, stability_parts
from models.errors import FraudstreamError

RESAMPLES: Final = 48
"""Resampled versions of each reference day."""
FEWEST_WEEKS: Final = 2
DAYS_A_WEEK: Final = 7
EPISODE_DAYS: Final = 7
"""Days beyond the limit that lie closer together are one false alarm."""
_CHUNK_DAYS: Final = 2_000
_PSEUDO_WEEKS: Final = 2_000
_RESAMPLES_OF_ALL: Final = 12
_MOST_ROWS: Final = 2_000
"""Rows of a day that are resampled for the stability index; more days cost time and add little."""


class BudgetError(FraudstreamError):
    """Raised when the reference is too small for the budget."""


@dataclass(frozen=True, slots=True, eq=False)
class PseudoDays:
    """Resampled reference days.

    Attributes
    ----------
    rows: int64[D] rows of each reference day.
    misses: float32[D, R, (F + 1) * CELLS + 1] of each day and resample.
    """

    rows: npt.NDArray[np.int64]
    misses: npt.NDArray[np.float32]

    @classmethod
    def of(cls, days: Sequence[Misses], rows: Sequence[int], random: np.random.Generator) -> "PseudoDays":
        """Resample the cards of each day: every card's misses are taken a Poisson(1) number of times, together."""
        drawn = []
        for day in days:
            times = random.poisson(1.0, (RESAMPLES, int(day.card.max(initial=-1)) + 1))[:, day.card].astype(np.float64)
            drawn.append([with_total(day.counted(row)) for row in times])
        return cls(np.asarray(rows, np.int64), np.asarray(drawn, np.float32))


class Maxima(NamedTuple):
    """Highest excess of each day of a simulated stretch: over all cells and windows, and of the total alone."""

    joint: npt.NDArray[np.float64]
    total: npt.NDArray[np.float64]


def simulate_maxima(
    pseudo: PseudoDays,
    arithmetic: MissArithmetic,
    days: int,
    random: np.random.Generator,
    windows: Sequence[int] = WINDOWS_DAYS,
) -> Maxima:
    """Put a stretch of days together from resampled ones, each weekday from the reference's own, and test it.

    Raises
    ------
    BudgetError: the reference is not made of whole weeks, two at least.

    References
    ----------
    Westfall and Young: Resampling-Based Multiple Testing, 1993 (the maximum over all tests).
    """
    weeks, rest = divmod(len(pseudo.rows), DAYS_A_WEEK)
    if rest or weeks < FEWEST_WEEKS:
        raise BudgetError(
            f"a reference of {len(pseudo.rows)} days cannot support a budget of false alarms: "
            f"give whole weeks, {FEWEST_WEEKS} at least"
        )
    day = np.arange(days) % DAYS_A_WEEK + DAYS_A_WEEK * random.integers(0, weeks, days)
    resample = random.integers(0, pseudo.misses.shape[1], days)
    maxima = Maxima(np.zeros(days), np.zeros(days))
    for start in range(0, days, _CHUNK_DAYS):
        first, stop = max(0, start - max(windows) + 1), min(start + _CHUNK_DAYS, days)
        chosen = slice(first, stop)
        part = _window_maxima(
            pseudo.misses[day[chosen], resample[chosen]], pseudo.rows[day[chosen]], arithmetic, windows
        )
        for whole, piece in zip(maxima, part, strict=True):
            whole[start:stop] = piece[start - first :]
    return maxima


def limit_for(maxima: npt.NDArray[np.float64], budget_days: float, tests: int = 1) -> float:
    """Return the lowest limit that a simulated stretch passes no more than once in `budget_days` of its days.

    It is never below what as many independent, normal statistics would need (Bonferroni): where the reference is so
    quiet that hardly anything passes the effect size, the stretch alone would allow next to any limit.

    Parameters
    ----------
    maxima: float64[days] of the stretch.
    budget_days: once in so many days.
    tests: statistics behind each maximum.
    """
    least = NormalDist().inv_cdf(1.0 - 1.0 / (budget_days * tests))
    return max(least, limit_with_episodes(maxima, max(1, int(len(maxima) / budget_days))))


def limit_with_episodes(highest: npt.NDArray[np.float64], episodes: int) -> float:
    """Return the lowest limit that a series [n] passes in at most so many episodes.

    Examples
    --------
    >>> series = np.zeros(100)
    >>> series[[10, 11, 50]] = 5.0, 6.0, 7.0
    >>> limit_with_episodes(series, 2) < 5.0 < limit_with_episodes(series, 1) < 7.0
    True
    """
    levels = np.unique(highest)[::-1]
    low, high = 0, len(levels) - 1
    # The number of episodes grows as the limit falls, but for a few joins: bisection finds the place.
    while low < high:
        middle = (low + high + 1) // 2
        if _episodes(highest, levels[middle]) <= episodes:
            low = middle
        else:
            high = middle - 1
    below = levels[low + 1] if low + 1 < len(levels) else 0.0
    return float(np.nextafter(below, np.inf)) if _episodes(highest, levels[low]) <= episodes else float(levels[0])


def _episodes(highest: npt.NDArray[np.float64], limit: float) -> int:
    beyond = np.flatnonzero(highest >= limit)
    return int(len(beyond) > 0) + int(np.sum(np.diff(beyond) > EPISODE_DAYS))


def _window_maxima(
    misses: npt.NDArray[np.float32], rows: npt.NDArray[np.int64], arithmetic: MissArithmetic, windows: Sequence[int]
) -> Maxima:
    sums = np.concatenate((np.zeros((1, misses.shape[1])), np.cumsum(misses, axis=0, dtype=np.float64)))
    total = np.concatenate(([0.0], np.cumsum(rows, dtype=np.float64)))
    maxima = Maxima(np.zeros(len(rows)), np.zeros(len(rows)))
    for window in windows:
        if len(rows) >= window:
            excess = arithmetic.excess(sums[window:] - sums[:-window], total[window:] - total[:-window], window)
            np.maximum(maxima.joint[window - 1 :], excess.max(axis=1), out=maxima.joint[window - 1 :])
            np.maximum(maxima.total[window - 1 :], excess[:, -1], out=maxima.total[window - 1 :])
    return maxima


def psi_limits(
    days: Sequence[tuple[Codes, npt.NDArray[np.uint64]]], budget_days: float, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return for each column the stability index that a week of the same population passes by chance.

    Weeks are put together from days whose cards are resampled; of large days some cards stand for all, and the index,
    which falls with the number of rows, is scaled. All columns together pass once in `budget_days`; what one week of
    the reference differs from the others, twice over, is no shift either.

    Parameters
    ----------
    days: cells uint8[n, F + 1] and cards [n] of each reference day, whole weeks.
    """
    drawn, scale = _resampled_counts(days, random)
    by_day = np.array([count_cells(cells, np.ones(len(cells))) for cells, _ in days])
    shares = by_day.sum(axis=0) / by_day.sum(axis=(0, 2))[:, None]
    weeks = len(days) // DAYS_A_WEEK
    place = np.arange(DAYS_A_WEEK) + DAYS_A_WEEK * random.integers(0, weeks, (_PSEUDO_WEEKS, DAYS_A_WEEK))
    counts = drawn[place, random.integers(0, drawn.shape[1], place.shape)].sum(axis=1)
    sampled_shares = drawn.sum(axis=(0, 1)) / drawn.sum(axis=(0, 1, 3))[:, None]
    psi = stability_parts(sampled_shares, counts).sum(axis=2) * scale
    mean, spread = psi.mean(axis=0), np.maximum(psi.std(axis=0), 1e-9)
    joint = ((psi - mean) / spread).max(axis=1)
    by_chance = mean + np.quantile(joint, 1.0 - DAYS_A_WEEK / budget_days) * spread
    by_week = by_day.reshape(weeks, DAYS_A_WEEK, *by_day.shape[1:]).sum(axis=1)
    between = stability_parts(shares, by_week).sum(axis=2).max(axis=0)
    return np.asarray(np.maximum.reduce([by_chance, 2.0 * between, np.full(len(mean), LEAST_PSI)]))


def _resampled_counts(
    days: Sequence[tuple[Codes, npt.NDArray[np.uint64]]], random: np.random.Generator
) -> tuple[npt.NDArray[np.float64], float]:
    """Return counts float64[D, R, F + 1, CELLS] of resampled days, and which share of the days' rows they are of."""
    drawn, rows, taken = [], 0, 0
    for cells, card in days:
        _, number = np.unique(card, return_inverse=True)
        cards = int(number.max(initial=-1)) + 1
        share = min(1.0, _MOST_ROWS / max(1, len(cells)))
        chosen = (random.random(cards) < share)[number]
        times = random.poisson(1.0, (_RESAMPLES_OF_ALL, cards))[:, number[chosen]].astype(np.float64)
        drawn.append([count_cells(cells[chosen], row) for row in times])
        rows, taken = rows + len(cells), taken + int(chosen.sum())
    return np.array(drawn), taken / max(1, rows)
