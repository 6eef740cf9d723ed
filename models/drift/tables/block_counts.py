"""The blocks of a table as counts, scored by the model that a reference belongs to."""

from typing import NamedTuple

import numpy as np

from models.drift.concept import Losses
from models.drift.day_counts import MissCounts, PopulationCounts, count_cells
from models.drift.tables.blocks import Blocks
from models.drift.tables.labelled_table import LabelledTable
from models.drift.tables.table_model import Scored, TableModel
from models.drift.tables.table_reference import TableReference, block_misses, columns_of, table_losses


class BlockCounts(NamedTuple):
    """What came in a block, and what was lost on it.

    Attributes
    ----------
    arrived, misses: as of an event day.
    losses: of the rows whose label is known, in their order.
    """

    arrived: PopulationCounts
    misses: MissCounts
    losses: Losses


class BlockCounter:
    """Counts the blocks of one stretch.

    Parameters
    ----------
    table, blocks: all rows.
    reference: whose cells are counted.
    scored: rows of the reference, out of sample.
    later: scores the rows after it: the model that was fitted on the reference, or the scores that came with the table.
    """

    def __init__(
        self,
        table: LabelledTable,
        blocks: Blocks,
        reference: TableReference,
        scored: Scored,
        later: TableModel | Scored,
    ) -> None:
        self._table = table
        self._blocks = blocks
        self._reference = reference
        self._scored = scored
        self._later = later

    def count(self, block: int) -> BlockCounts:
        """Count one block of the reference or after it."""
        rows = self._blocks[block]
        scored = self._score(block)
        cells = self._reference.bins.cells(columns_of(self._table, rows, scored))
        losses = table_losses(scored)
        misses, known = block_misses(self._table, rows, cells, losses), losses[~np.isnan(losses)]
        return BlockCounts(
            PopulationCounts(len(cells), count_cells(cells, np.ones(len(cells)))),
            MissCounts(len(known), 0, float(known.sum()), misses.counted(), misses.squared()),
            known,
        )

    def _score(self, block: int) -> Scored:
        rows, reference = self._blocks[block], self._reference
        if block < reference.end_block:
            start = self._blocks[reference.first_block].start
            return self._scored.take(slice(rows.start - start, rows.stop - start))
        if isinstance(self._later, TableModel):
            return Scored.of(self._later.chances(self._table.values[rows]), self._table.label[rows])
        return self._later.take(rows)
