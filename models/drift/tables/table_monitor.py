"""The drift tests over the blocks that follow a reference: alarms and warnings, named by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from models.drift.bins import Column
from models.drift.concept import Change, ConceptDrift, Losses
from models.drift.day_counts import SCORE, MissCounts, PopulationCounts
from models.drift.misses import TOTAL, WINDOWS_DAYS, MissFinding, MissTest
from models.drift.monitor import QUIET_DAYS
from models.drift.population import WINDOW_DAYS, PopulationFinding, PopulationTest
from models.drift.tables.block_counts import BlockCounts
from models.drift.tables.table_reference import LONG_WINDOWS, TableReference
from models.drift.tables.table_words import cell_words
from models.drift.words import PERFORMANCE
from models.schema.drift_event import DriftKind

CONFIRMED_WITHIN_BLOCKS: Final = 7
"""ADWIN says once that the losses rose, often before a week of misses is there to confirm it."""
SHIFTS: Final = frozenset({"population", "score"})


@dataclass(frozen=True, slots=True)
class TableFinding:
    """Something that came otherwise than in the reference.

    Attributes
    ----------
    kind: `performance` and `concept` are falls of the performance, the others are about inputs.
    feature: where, or `performance`.
    block: at whose end it was found.
    since_block: with which it may have begun.
    statistic, limit: how far, and the limit it passed.
    where: which values of the feature.
    expected, observed: misses, mean loss or share of rows.
    """

    kind: DriftKind
    feature: str
    block: int
    since_block: int
    statistic: float
    limit: float
    where: str
    expected: float
    observed: float


class BlockFindings(NamedTuple):
    """What the close of a block brought."""

    alarms: list[TableFinding]
    warnings: list[TableFinding]


class TableMonitor:
    """Follows the blocks after one reference.

    Parameters
    ----------
    reference: what is usual.
    delay: blocks after which labels are known.
    texts: names of the codes of each column of texts.
    """

    def __init__(
        self, reference: TableReference, delay: int = 0, texts: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.reference = reference
        self._delay = delay
        self._texts = texts or {}
        self._population = PopulationTest(reference.population)
        self._misses = MissTest(reference.misses)
        self._concept = ConceptDrift(reference.losses)
        self._rise: tuple[int, Change] | None = None
        self._alarm_psi = {
            column.name: float(limit) for column, limit in zip(reference.bins.columns, reference.alarm_psi, strict=True)
        }
        self._last: dict[tuple[DriftKind, str], int] = {}

    def take_untested(self, block: int, arrived: PopulationCounts, misses: MissCounts | None) -> None:
        """Fill the windows with blocks that are known, so that the first one after them is tested in full."""
        self._population.observe(block, arrived)
        if misses is not None:
            self._misses.observe(misses)

    def close(self, block: int, arrived: PopulationCounts, matured: BlockCounts | None) -> BlockFindings:
        """Take the next block, and the one whose labels have become known; None where the reference holds that."""
        found = [self._input(block, one) for one in self._population.observe(block, arrived)]
        alarms = [replace(one, limit=self._alarm_psi[one.feature]) for one in found if self._alarming(one)]
        warnings = [one for one in found if not self._alarming(one)]
        fall = None if matured is None else self._fall(block, matured.misses, matured.losses)
        return BlockFindings(([fall] if fall is not None else []) + alarms, self._new(block, warnings))

    def _new(self, block: int, warnings: list[TableFinding]) -> list[TableFinding]:
        """Leave out what has been warned of within the last week."""
        new = [one for one in warnings if block - self._last.get((one.kind, one.feature), -QUIET_DAYS) >= QUIET_DAYS]
        self._last |= {(one.kind, one.feature): block for one in warnings}
        return new

    def _alarming(self, one: TableFinding) -> bool:
        return one.kind in SHIFTS and one.statistic >= self._alarm_psi[one.feature]

    def _fall(self, block: int, matured: MissCounts, losses: Losses) -> TableFinding | None:
        change = self._concept.observe(losses)
        if change is not None:
            self._rise = block, change
        found = self._misses.observe(matured)
        # A cell that merely fills holds more misses, and the model is none the worse for that.
        found = [one for one in found if self._misses.total_excess(one.window_days) > 0]
        if found:
            return self._missed(block, found)
        lasting = max(LONG_WINDOWS, key=self._misses.total_excess)
        if self._misses.total_excess(lasting) >= self.reference.lasting_limit:
            return self._lasting(block, lasting)
        if self._rise is None or block - self._rise[0] >= CONFIRMED_WITHIN_BLOCKS:
            return None
        change = self._rise[1]
        window = max(WINDOWS_DAYS, key=self._misses.total_excess)
        excess = self._misses.total_excess(window)
        return self._risen(block, change, window, excess) if excess >= self.reference.confirming_limit else None

    def _missed(self, block: int, found: list[MissFinding]) -> TableFinding:
        # What all rows show together is not the fault of one column.
        first = next((one for one in found if one.column == TOTAL), found[0])
        column = None if first.column == TOTAL else self.reference.bins.columns[first.column]
        return TableFinding(
            kind="performance",
            feature=PERFORMANCE if column is None or column.name == SCORE else column.name,
            block=block,
            since_block=block - self._delay - first.since_days + 1,
            statistic=first.statistic,
            limit=self.reference.misses.limit,
            where="all rows" if column is None else cell_words(column, first.cell, self._texts),
            expected=first.expected,
            observed=first.observed,
        )

    def _lasting(self, block: int, window: int) -> TableFinding:
        total = self._misses.total(window)
        limit, since = self.reference.lasting_limit, block - self._delay - window + 1
        return TableFinding("performance", PERFORMANCE, block, since, total.statistic, limit, "all rows", *total[1:])

    def _risen(self, block: int, change: Change, window: int, excess: float) -> TableFinding:
        limit = self.reference.confirming_limit
        since = block - self._delay - window + 1
        return TableFinding(
            "concept", PERFORMANCE, block, since, excess, limit, "all rows", change.before, change.after
        )

    def _input(self, block: int, one: PopulationFinding) -> TableFinding:
        column: Column | None = None if one.column < 0 else self.reference.bins.columns[one.column]
        return TableFinding(
            kind=one.kind,
            feature="volume" if column is None else column.name,
            block=block,
            since_block=block - (WINDOW_DAYS if one.kind in SHIFTS else 1) + 1,
            statistic=one.statistic,
            limit=one.limit,
            where="all rows" if column is None else cell_words(column, one.cell, self._texts),
            expected=one.expected,
            observed=one.observed,
        )
