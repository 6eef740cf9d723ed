"""The battery finds known changes soon after they come, and nothing in tables without one."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.drift.reference import FalseAlarmBudget
from models.drift.tables.battery import Battery
from models.drift.tables.blocks import cut_blocks
from models.drift.tables.labelled_table import TableError
from models.drift.tables.table_file import TableColumns, read_table
from models.drift.tables.table_report import TableReport, table_report
from tests.unit.models.drift.tables.small_table import CHANGE, REFERENCE, ROWS, small_table

SOON = 250
"""Rows: five blocks, less than a week of them."""


def run(
    folder: Path, table: pa.Table, columns: TableColumns | None = None, *, delay: int = 0, reference: int = REFERENCE
) -> TableReport:
    pq.write_table(table, folder / "table.parquet")
    read = read_table(folder / "table.parquet", columns or TableColumns("label", "row"), reference)
    blocks, budget = cut_blocks(len(read), reference, read.time_ms), FalseAlarmBudget()
    result = Battery(read, blocks, budget, delay, 1, lambda line: None).run()
    return table_report(read, blocks, result, budget)


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.append_column(name, pa.array(values))


def test_nothing_alarms_where_nothing_changes(tmp_path: Path) -> None:
    report = run(tmp_path, small_table())
    assert report.alarms == []
    assert report.false_alarm_budget.blocks == report.blocks - 28
    assert [(one.from_row, one.to_row) for one in report.watched] == [(REFERENCE, ROWS)]


def test_a_turned_rule_is_found_as_a_fall_of_the_performance(tmp_path: Path) -> None:
    first = run(tmp_path, small_table(turn=True)).alarms[0]
    assert first.kind == "performance"
    assert CHANGE <= first.row < CHANGE + SOON
    assert abs(first.since_row - CHANGE) < SOON


def test_a_shifted_column_is_named(tmp_path: Path) -> None:
    report = run(tmp_path, small_table(shift=2.0))
    shifts = [one for one in report.alarms if one.kind == "population"]
    assert [one.feature for one in shifts] == ["size"]
    assert CHANGE <= shifts[0].row < CHANGE + SOON
    assert min(one.row for one in report.alarms) >= CHANGE


def test_a_column_that_was_constant_and_begins_to_move_is_named(tmp_path: Path) -> None:
    late = np.where(np.arange(ROWS) < CHANGE, 0.0, np.random.default_rng(1).normal(size=ROWS))
    report = run(tmp_path, with_column(small_table(), "late", late))
    assert [(one.kind, one.feature) for one in report.alarms] == [("population", "late")]
    assert ("category", "late") in {(one.kind, one.feature) for one in report.warnings}


def test_a_column_that_goes_missing_is_named(tmp_path: Path) -> None:
    gone = [None if row >= CHANGE and row % 2 else float(row * 7919 % 1009) for row in range(ROWS)]
    report = run(tmp_path, with_column(small_table(), "gone", gone))
    assert [(one.kind, one.feature, one.where) for one in report.alarms] == [("population", "gone", "missing")]


def test_the_change_back_is_found_against_a_new_reference(tmp_path: Path) -> None:
    back = CHANGE + 2_000
    report = run(tmp_path, small_table(rows=5_000, turn=True, turn_back_at=back))
    falls = [one.row for one in report.alarms if one.kind in {"performance", "concept"}]
    assert len(falls) == 2
    assert back <= falls[1] < back + SOON
    assert report.watched[1].reference_from_row > falls[0]


def test_given_scores_take_the_place_of_a_model(tmp_path: Path) -> None:
    table = small_table(turn=True)
    odds = 3.0 * (table["size"].to_numpy() + table["age"].to_numpy())
    scored = with_column(table, "chance_left", 1.0 / (1.0 + np.exp(odds)))
    report = run(tmp_path, scored, TableColumns("label", "row", score="chance_left"))
    assert report.features == ["size", "age", "colour"]
    assert report.alarms[0].kind == "performance"
    assert CHANGE <= report.alarms[0].row < CHANGE + SOON


def test_late_labels_delay_falls_by_as_much(tmp_path: Path) -> None:
    at_once, late = (run(tmp_path, small_table(turn=True), delay=delay) for delay in (0, 7))
    assert late.alarms[0].row - at_once.alarms[0].row == 7 * at_once.block_rows
    assert late.alarms[0].since_row == at_once.alarms[0].since_row


def test_labels_of_three_classes_are_followed_by_the_chance_of_the_true_one(tmp_path: Path) -> None:
    table = small_table()
    place = np.digitize(table["size"].to_numpy(), [-0.4, 0.4])
    turned = np.where(np.arange(ROWS) >= CHANGE, 2 - place, place)
    report = run(tmp_path, with_column(table, "kind", turned), TableColumns("kind", "row", exclude=("label",)))
    assert [one.kind for one in report.alarms] == ["performance"]
    assert CHANGE <= report.alarms[0].row < CHANGE + SOON


def test_the_same_table_gives_the_same_report(tmp_path: Path) -> None:
    assert run(tmp_path, small_table(turn=True)) == run(tmp_path, small_table(turn=True))


def test_a_reference_with_few_of_one_class_is_refused(tmp_path: Path) -> None:
    rare = with_column(small_table(), "rare", np.arange(ROWS) % 35 == 0)
    with pytest.raises(TableError, match="40 labels other than 'false' cannot support a budget"):
        run(tmp_path, rare, TableColumns("rare", "row"))
