"""An event day in cells: how many rows fell into each, and how much loss of the model."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from models.drift.bins import CELLS, Bins, Codes
from models.drift.concept import Losses, scaled_losses
from models.metrics.scored_rows import ScoredRows

SCORE: Final = "score"
"""The score is the last column of every table of cells, behind the features."""
HEAVY_LOSS: Final = 0.05
"""Rows with a smaller scaled loss are what the model is sure of and right about; they are many and carry little."""

MEMORY_DAYS: Final = 7
"""Days that a cluster is remembered: as long as the longest window, so that no campaign fills a window by itself."""

Cells = npt.NDArray[np.float64]
Ids = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class PopulationCounts:
    """What came on a day, known at its end.

    Attributes
    ----------
    rows: transactions.
    cells: float64[F + 1, CELLS] rows in each cell.
    """

    rows: int
    cells: Cells


@dataclass(frozen=True, slots=True, eq=False)
class MissCounts:
    """What the model lost on a day, known once its labels are mature.

    Attributes
    ----------
    rows: transactions whose label is known.
    frauds: those that are fraud.
    loss: sum of the scaled losses.
    misses: float64[F + 1, CELLS] misses in each cell, where those on one card or at one terminal count once.
    squares: float64[F + 1, CELLS] sum of the squares of what was added to `misses`.
    """

    rows: int
    frauds: int
    loss: float
    misses: Cells
    squares: Cells


class ClusterMemory:
    """Which cards and terminals had heavy losses on the days before.

    A campaign goes on for days or weeks. On its second day it counts half, on its third a third: what is new counts.
    """

    def __init__(self) -> None:
        self._days: deque[tuple[Ids, Ids]] = deque(maxlen=MEMORY_DAYS)

    @property
    def is_full(self) -> bool:
        """Whether it reaches back as far as it can; before that more seems new than is."""
        return len(self._days) == MEMORY_DAYS

    def days_before(self, card: Ids, terminal: Ids) -> npt.NDArray[np.int64]:
        """Return on how many of the days before each row's card or terminal had one, whichever was more; int64[n]."""
        on_card, at_terminal = np.zeros(len(card), np.int64), np.zeros(len(card), np.int64)
        for cards, terminals in self._days:
            on_card += np.isin(card, cards)
            at_terminal += np.isin(terminal, terminals)
        return np.maximum(on_card, at_terminal)

    def close_day(self, card: Ids, terminal: Ids) -> None:
        """Take note of a day's cards and terminals with heavy losses."""
        self._days.append((np.unique(card), np.unique(terminal)))


@dataclass(frozen=True, slots=True, eq=False)
class Misses:
    """The heavy losses of a day, one entry per row.

    Attributes
    ----------
    cells: uint8[n, F + 1].
    weight: float64[n] scaled loss over the number of heavy losses on the same card or at the same terminal that day,
        whichever is more: a campaign that abuses one card or one terminal counts about once, however busy it is. That
        again over one plus the days of the week before on which it had some.
    card: int64[n] number of the row's card within the day.
    """

    cells: Codes
    weight: npt.NDArray[np.float64]
    card: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, cells: Codes, losses: Losses, card: Ids, terminal: Ids, memory: ClusterMemory | None = None
    ) -> "Misses":
        """Pick the heavy losses of a day and share each cluster's weight among its rows.

        Parameters
        ----------
        cells, losses, card, terminal: of all rows of the day.
        memory: of the days before; this day is added to it.
        """
        heavy = losses > HEAVY_LOSS
        card, terminal = card[heavy], terminal[heavy]
        _, card_number, on_card = np.unique(card, return_inverse=True, return_counts=True)
        _, at, at_terminal = np.unique(terminal, return_inverse=True, return_counts=True)
        weight = losses[heavy] / np.maximum(on_card[card_number], at_terminal[at])
        if memory is not None:
            weight /= 1 + memory.days_before(card, terminal)
            memory.close_day(card, terminal)
        return cls(cells[heavy], weight, card_number.astype(np.int64))

    def counted(self, times: npt.NDArray[np.float64] | None = None) -> Cells:
        """Sum the weights in each cell, float64[F + 1, CELLS], each row taken `times` [n]."""
        return count_cells(self.cells, self.weight if times is None else self.weight * times)

    def squared(self) -> Cells:
        """Sum the squares of the weights in each cell."""
        return count_cells(self.cells, self.weight**2)


def columns_of(rows: ScoredRows) -> npt.NDArray[np.float32]:
    """Return the features and, behind them, the score, float32[n, F + 1]."""
    return np.column_stack((rows.values, rows.score))


def population_counts(bins: Bins, rows: ScoredRows) -> PopulationCounts:
    """Count the rows of a day, whatever became of them."""
    cells = bins.cells(columns_of(rows))
    return PopulationCounts(len(rows), count_cells(cells, np.ones(len(rows))))


def miss_counts(bins: Bins, known: ScoredRows, memory: ClusterMemory | None = None) -> MissCounts:
    """Count the misses of a day among rows whose label is known; `memory` is as for `Misses.of`."""
    losses = scaled_losses(known.is_fraud, known.score)
    misses = Misses.of(bins.cells(columns_of(known)), losses, known.card, known.terminal, memory)
    frauds = int(known.is_fraud.sum())
    return MissCounts(len(known), frauds, float(losses.sum()), misses.counted(), misses.squared())


@numba.njit(cache=True, nogil=True)
def count_cells(cells: Codes, weight: npt.NDArray[np.float64]) -> Cells:
    """Sum the weight [n] of the rows in each cell of each column, float64[F, CELLS]."""
    out = np.zeros((cells.shape[1], CELLS))
    for row in range(cells.shape[0]):
        for at in range(cells.shape[1]):
            out[at, cells[row, at]] += weight[row]
    return out
