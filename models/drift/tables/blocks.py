"""Blocks of rows that play the event days of the live watch."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from models.drift.calibration import DAYS_A_WEEK
from models.drift.tables.labelled_table import TableError
from models.schema.topics import DAY_MS

FEWEST_BLOCKS: Final = 28
"""Of a reference: four weeks of blocks, or the differences between its weeks would be guessed from too few."""
FEWEST_BLOCK_ROWS: Final = 25
"""Of equal blocks: a week of them holds 175 rows, and the stability index of ten even cells moves by .05 at random."""
FEWEST_DAY_ROWS: Final = 50
_WANTED_BLOCKS: Final = 56
"""Of a reference in equal blocks, if they then hold 50 rows: half of them make the next reference after an alarm."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Where each block begins.

    Attributes
    ----------
    edges: int64[B + 1] first row of each block, and behind the last one the row after it.
    reference: blocks of a reference, whole weeks of seven.
    unit: what a block is.
    """

    edges: npt.NDArray[np.int64]
    reference: int
    unit: Literal["day", "rows"]

    def __len__(self) -> int:
        """How many blocks."""
        return len(self.edges) - 1

    def rows(self, first: int, end: int) -> slice:
        """Return the rows of the blocks from `first` up to `end`, which is not included."""
        return slice(int(self.edges[first]), int(self.edges[end]))

    def __getitem__(self, block: int) -> slice:
        """Return the rows of one block."""
        return self.rows(block, block + 1)

    @property
    def next_reference(self) -> int:
        """Blocks of a reference after an alarm: half as many, so that the next change is not slept through."""
        return max(FEWEST_BLOCKS, self.reference // 2 // DAYS_A_WEEK * DAYS_A_WEEK)

    @property
    def typical_rows(self) -> int:
        """Rows of a block, by the median."""
        return int(np.median(np.diff(self.edges)))


def cut_blocks(rows: int, reference_rows: int, time_ms: npt.NDArray[np.int64] | None) -> Blocks:
    """Cut rows into days where each day holds enough rows and the reference enough days, else into equal blocks.

    The blocks of the reference end with its last row, or its last whole day. Rows before its first whole week help to
    fit the model and nothing else.

    Raises
    ------
    TableError: the reference is too short for its budget of false alarms, or nothing comes after it.

    Examples
    --------
    >>> blocks = cut_blocks(10_000, 3_000, None)
    >>> blocks.reference, blocks[0], blocks[blocks.reference]
    (56, slice(32, 85, None), slice(3000, 3053, None))
    """
    if reference_rows < FEWEST_BLOCKS * FEWEST_BLOCK_ROWS:
        raise TableError(
            f"a reference of {reference_rows} rows cannot support a budget of false alarms: "
            f"give --reference {FEWEST_BLOCKS * FEWEST_BLOCK_ROWS} or more"
        )
    days = None if time_ms is None else _days(time_ms, reference_rows)
    blocks = days if days is not None else _equal(rows, reference_rows)
    if len(blocks) <= blocks.reference:
        raise TableError(
            f"the table has {rows} rows and none, or no whole block, after a reference of {reference_rows}: "
            "give a smaller --reference"
        )
    return blocks


def _days(time_ms: npt.NDArray[np.int64], reference_rows: int) -> Blocks | None:
    day = time_ms // DAY_MS
    starts = np.concatenate(([0], np.flatnonzero(np.diff(day)) + 1, [len(day)]))
    whole = np.diff(starts)[1:-1]
    if not len(whole) or whole.min() < FEWEST_DAY_ROWS or len(whole) + 2 != day[-1] - day[0] + 1:
        return None
    reference_end = int(np.searchsorted(starts, reference_rows, side="right")) - 1
    # The first and the last day may be cut short.
    reference = (reference_end - 1) // DAYS_A_WEEK * DAYS_A_WEEK
    if reference < FEWEST_BLOCKS:
        return None
    return Blocks(starts[reference_end - reference : -1], reference, "day")


def _equal(rows: int, reference_rows: int) -> Blocks:
    wanted = min(_WANTED_BLOCKS, max(FEWEST_BLOCKS, reference_rows // FEWEST_DAY_ROWS))
    weeks = wanted // DAYS_A_WEEK
    size = reference_rows // (weeks * DAYS_A_WEEK)
    first = reference_rows - weeks * DAYS_A_WEEK * size
    edges = np.arange(first, rows + 1, size)
    if 2 * (rows - edges[-1]) >= size:
        edges = np.append(edges, rows)
    return Blocks(edges, weeks * DAYS_A_WEEK, "rows")
