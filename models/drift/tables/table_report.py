"""What a pass of the battery found, by row, for a program or a person."""

from typing import Final

import msgspec

from models.drift.reference import FalseAlarmBudget
from models.drift.tables.battery import BatteryResult
from models.drift.tables.blocks import Blocks
from models.drift.tables.labelled_table import LabelledTable
from models.drift.tables.table_monitor import TableFinding

UNITS: Final = {"performance": "misses", "concept": "mean scaled loss", "volume": "rows", "category": "rows"}


class RowFinding(msgspec.Struct, frozen=True):
    """An alarm or a warning.

    Attributes
    ----------
    row: place of the last row (from 0, in the order of the time) that had come when it was found.
    kind: `performance` or `concept` for a fall of the performance, otherwise what moved about the inputs.
    feature: where, or `performance`.
    since_row: with which it may have begun: the start of the block, or of the week of blocks.
    where: which values of the feature.
    expected, observed, unit: figures behind it.
    statistic, limit: how far that is, and the limit it passed.
    """

    row: int
    kind: str
    feature: str
    since_row: int
    where: str
    expected: float
    observed: float
    unit: str
    statistic: float
    limit: float

    @property
    def words(self) -> str:
        """The finding on one line."""
        figures = f"{self.observed:.4g} {self.unit} where {self.expected:.4g} are usual"
        strength = f"statistic {self.statistic:.2f}, limit {self.limit:.2f}"
        rows = f"row {self.row:,} (since about {self.since_row:,})"
        return f"{rows}  {self.kind}: {self.feature}, {self.where}: {figures} ({strength})"


class TestCount(msgspec.Struct, frozen=True):
    """How many limits one kind of test has."""

    test: str
    limits: int
    alarms: bool


class TableBudget(msgspec.Struct, frozen=True):
    """What the limits were made for: one false alarm in `alarm_blocks`, one false warning in `warning_blocks`."""

    alarm_blocks: float
    warning_blocks: float
    blocks: int
    expected_false_alarms: float
    expected_false_warnings: float


class Watched(msgspec.Struct, frozen=True):
    """Rows that were tested, and those they were compared with; ends are not included."""

    reference_from_row: int
    reference_to_row: int
    from_row: int
    to_row: int


class TableReport(msgspec.Struct, frozen=True):
    """Everything that the battery says of a table."""

    alarms: list[RowFinding]
    warnings: list[RowFinding]
    rows: int
    blocks: int
    block_rows: int
    block_unit: str
    reference_rows: int
    features: list[str]
    watched: list[Watched]
    tests: list[TestCount]
    false_alarm_budget: TableBudget
    notes: list[str]


def table_report(table: LabelledTable, blocks: Blocks, result: BatteryResult, budget: FalseAlarmBudget) -> TableReport:
    """Name the findings by row."""
    tested = sum(one.end_block - one.start_block for one in result.stretches)
    columns = len(table.names) + 1
    return TableReport(
        alarms=[_by_row(one, blocks) for one in result.alarms],
        warnings=[_by_row(one, blocks) for one in result.warnings],
        rows=len(table),
        blocks=len(blocks),
        block_rows=blocks.typical_rows,
        block_unit=blocks.unit,
        reference_rows=blocks.rows(0, blocks.reference).stop,
        features=table.names,
        watched=[
            Watched(
                blocks[one.first_reference_block].start,
                blocks[one.end_reference_block - 1].stop,
                blocks[one.start_block].start,
                blocks[one.end_block - 1].stop,
            )
            for one in result.stretches
        ],
        tests=[
            TestCount("misses by cell of each column, over 1, 3 and 7 blocks", result.stretches[0].miss_tests, True),
            TestCount("rise of the mean loss (ADWIN), confirmed by all misses together", 1, True),
            TestCount("population stability of each column over 7 blocks, limit of alarms", columns, True),
            TestCount("population stability of each column over 7 blocks, limit of warnings", columns, False),
            TestCount("unseen values of each column", columns, False),
            TestCount("missing values of each column", columns, False),
        ],
        false_alarm_budget=TableBudget(
            budget.alarm_days,
            budget.warning_days,
            tested,
            round(tested / budget.alarm_days, 3),
            round(tested / budget.warning_days, 3),
        ),
        notes=table.notes,
    )


def _by_row(one: TableFinding, blocks: Blocks) -> RowFinding:
    return RowFinding(
        row=blocks[one.block].stop - 1,
        kind=one.kind,
        feature=one.feature,
        since_row=blocks[max(0, one.since_block)].start,
        where=one.where,
        expected=one.expected,
        observed=one.observed,
        unit=UNITS.get(one.kind, "of the rows"),
        statistic=one.statistic,
        limit=one.limit,
    )
