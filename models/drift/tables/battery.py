"""Goes through a labelled table: a reference, tests until an alarm, then a new reference from the rows after it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from models.drift.calibration import DAYS_A_WEEK
from models.drift.misses import LOOK_BACK_DAYS
from models.drift.reference import FEWEST_FRAUDS, FalseAlarmBudget
from models.drift.tables.block_counts import BlockCounter
from models.drift.tables.blocks import Blocks
from models.drift.tables.labelled_table import LabelledTable, TableError
from models.drift.tables.table_model import Scored, TableModel, given_scores, score_out_of_sample
from models.drift.tables.table_monitor import TableFinding, TableMonitor
from models.drift.tables.table_reference import TableReference, build_table_reference

FOLLOW_UP_BLOCKS: Final = DAYS_A_WEEK
"""After an alarm the tests go on for so long and tell what else moved."""
_THREADS: Final = 1
"""Blocks are small: on busy cores more threads waited for each other a hundred times longer than they worked."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A reference and the blocks that were compared with it; ends are not included."""

    first_reference_block: int
    end_reference_block: int
    start_block: int
    end_block: int
    miss_tests: int
    columns: int


@dataclass(slots=True)
class BatteryResult:
    """What a pass over a table found.

    Attributes
    ----------
    alarms, warnings: in the order of their blocks.
    stretches: what was compared with what.
    """

    alarms: list[TableFinding] = field(default_factory=list)
    warnings: list[TableFinding] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)


class Battery:
    """All drift tests over one table.

    Parameters
    ----------
    table, blocks: what to go through.
    budget: of false alarms, in blocks.
    delay: blocks after which labels are known.
    seed: of fits and resampling.
    report: told what is done.
    """

    def __init__(
        self, table: LabelledTable, blocks: Blocks, budget: FalseAlarmBudget, delay: int, seed: int, report: Report
    ) -> None:
        self._table = table
        self._blocks = blocks
        self._budget = budget
        self._delay = delay
        self._seed = seed
        self._report = report
        self._given = None if table.score is None else given_scores(table)

    def run(self) -> BatteryResult:
        """Go through the table once.

        Raises
        ------
        TableError: the first reference cannot support the budget.
        """
        with threadpool_limits(_THREADS):
            return self._run()

    def _run(self) -> BatteryResult:
        result, first, length = BatteryResult(), 0, self._blocks.reference
        while first + length + (self._delay if first else 0) < len(self._blocks):
            try:
                reference, counter = self._reference(first, first + length)
            except TableError as error:
                if not result.stretches:
                    raise
                self._report(f"the next reference needs more rows: {error}")
                length += DAYS_A_WEEK
                continue
            first, length = self._watch(reference, counter, result), self._blocks.next_reference
        return result

    def _reference(self, first: int, end: int) -> tuple[TableReference, BlockCounter]:
        rows = self._blocks.rows(first, end)
        self._report(f"reference: rows {rows.start:,} to {rows.stop - 1:,}")
        self._require_labels(rows)
        scored, later = self._score(rows, first=first == 0)
        reference = build_table_reference(self._table, self._blocks, first, end, scored, self._budget, self._seed)
        return reference, BlockCounter(self._table, self._blocks, reference, scored, later)

    def _score(self, rows: slice, *, first: bool) -> tuple[Scored, TableModel | Scored]:
        if self._given is not None:
            return self._given.take(rows), self._given
        # Rows before the first whole week of blocks are known too.
        fitted = np.arange(0 if first else rows.start, rows.stop)
        return score_out_of_sample(self._table, rows, self._seed), TableModel(self._table, fitted, self._seed)

    def _require_labels(self, rows: slice) -> None:
        label = self._table.label[rows]
        counts = np.bincount(label[label >= 0], minlength=len(self._table.classes))
        others = int(counts.sum() - counts.max())
        if others < FEWEST_FRAUDS:
            raise TableError(
                f"a reference with {others} labels other than {self._table.classes[int(counts.argmax())]!r} cannot "
                f"support a budget of false alarms: give a longer --reference, with {FEWEST_FRAUDS} of them or more"
            )

    def _watch(self, reference: TableReference, counter: BlockCounter, result: BatteryResult) -> int:
        """Test the blocks after a reference; return the first block of the next one."""
        monitor, known = TableMonitor(reference, self._delay, self._table.texts), reference.end_block
        # The labels of the first reference were given; those of a later one must come in first.
        start = known if not result.stretches else known + self._delay
        for block in range(known - LOOK_BACK_DAYS, start):
            counts = counter.count(block)
            monitor.take_untested(block, counts.arrived, counts.misses if block < known else None)
        end = self._test(monitor, counter, start, result)
        result.stretches.append(
            Stretch(reference.first_block, known, start, end, reference.miss_tests, len(reference.bins))
        )
        return end

    def _test(self, monitor: TableMonitor, counter: BlockCounter, start: int, result: BatteryResult) -> int:
        alarmed: int | None = None
        seen: set[tuple[str, str]] = set()
        known = monitor.reference.end_block
        for block in range(start, len(self._blocks)):
            if alarmed is not None and block - alarmed > FOLLOW_UP_BLOCKS:
                break
            matured = counter.count(block - self._delay) if block - self._delay >= known else None
            found = monitor.close(block, counter.count(block).arrived, matured)
            new = [one for one in found.alarms if _key(one) not in seen]
            seen |= {_key(one) for one in new}
            result.alarms += new
            result.warnings += found.warnings if alarmed is None else []
            alarmed = block if new and alarmed is None else alarmed
        return len(self._blocks) if alarmed is None else alarmed + 1


def _key(finding: TableFinding) -> tuple[str, str]:
    """What an alarm is about; falls of the performance are one thing, whichever column shows them first."""
    return (finding.kind, finding.feature) if finding.kind not in {"performance", "concept"} else ("fall", "")
