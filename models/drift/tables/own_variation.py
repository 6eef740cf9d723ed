"""How far a reference is from itself: each of its windows against its other blocks.

Resampled blocks know nothing of what lasts for several blocks: seasons, trends, values that hang on to each other. A
window of the reference itself does.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.drift.day_counts import Cells
from models.drift.misses import WINDOWS_DAYS, MissArithmetic, with_total
from models.drift.population import WINDOW_DAYS, stability_parts


def stability_of_weeks(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return for each column the largest stability index of any week of blocks against all others, float64[F + 1].

    Parameters
    ----------
    counts: [B, F + 1, CELLS] rows of each block and cell.
    """
    weeks = _window_sums(counts, WINDOW_DAYS)
    others = counts.sum(axis=0) - weeks
    shares = others / np.maximum(others.sum(axis=2, keepdims=True), 1.0)
    return np.asarray(np.max([_index(share, week) for share, week in zip(shares, weeks, strict=True)], axis=0))


def design_effect(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return by how much each column's weeks vary more than weeks of independent rows, at least 1, float64[F + 1].

    Parameters
    ----------
    counts: [B, F + 1, CELLS] rows of each block and cell.

    References
    ----------
    Kish: Survey Sampling, 1965 (the design effect).
    """
    weeks = _window_sums(counts, WINDOW_DAYS)
    rows = weeks[:, 0].sum(axis=1)
    share = counts.sum(axis=0) / counts[:, 0].sum()
    squares = ((weeks / rows[:, None, None] - share) ** 2 * rows[:, None, None]).mean(axis=0)
    # A week is part of what it is compared with.
    independent = (1.0 - share) * (1.0 - WINDOW_DAYS / len(counts))
    met = share > 0
    varied = np.divide(squares, share, out=np.zeros_like(share), where=met).sum(axis=1)
    return np.asarray(np.maximum(1.0, varied / np.maximum(np.where(met, independent, 0.0).sum(axis=1), 1e-9)))


def pooled_dispersion(
    spread: npt.NDArray[np.float64], met: npt.NDArray[np.bool_], columns: int
) -> npt.NDArray[np.float64]:
    """Raise each cell's dispersion to the median of its column: that of one cell is guessed from a few windows.

    Parameters
    ----------
    spread: [windows, (F + 1) * CELLS + 1].
    met: [(F + 1) * CELLS + 1] whether the reference has misses there.
    columns: F + 1.
    """
    cells = np.where(met, spread, np.nan)[:, :-1].reshape(len(spread), columns, -1)
    # A column without misses has no median.
    filled = np.where(np.isnan(cells).all(axis=2, keepdims=True), 1.0, cells)
    median = np.nanmedian(filled, axis=2, keepdims=True)
    raised = np.maximum(np.nan_to_num(cells, nan=1.0), median).reshape(len(spread), -1)
    return np.column_stack((raised, spread[:, -1]))


def _index(shares: Cells, counts: Cells) -> npt.NDArray[np.float64]:
    return np.asarray(stability_parts(shares, counts).sum(axis=1))


def largest_excess(
    misses: npt.NDArray[np.float64],
    squares: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
    frauds_per_row: float,
    dispersion: npt.NDArray[np.float64],
    windows: Sequence[int] = WINDOWS_DAYS,
) -> tuple[float, float]:
    """Return the largest studentised excess of any window of the reference over its other blocks: cells, and total.

    Parameters
    ----------
    misses, squares: [B, F + 1, CELLS] of each block.
    rows: [B] of each block.
    frauds_per_row, dispersion: as in `MissArithmetic`.
    windows: blocks.
    """
    cells, total = 0.0, 0.0
    for window in windows:
        sums = _window_sums(misses, window), _window_sums(squares, window)
        for missed, squared, n in zip(*sums, _window_sums(rows, window), strict=True):
            others = int(rows.sum() - n)
            rest = MissArithmetic(
                others, frauds_per_row * others, misses.sum(axis=0) - missed, squares.sum(axis=0) - squared, dispersion
            )
            excess = rest.excess(with_total(missed), float(n), window)
            cells, total = max(cells, float(excess.max())), max(total, float(excess[-1]))
    return cells, total


def _window_sums(blocks: npt.NDArray[np.generic], window: int) -> npt.NDArray[np.float64]:
    sums = np.concatenate((np.zeros((1, *blocks.shape[1:])), np.cumsum(blocks, axis=0, dtype=np.float64)))
    return np.asarray(sums[window:] - sums[:-window])
