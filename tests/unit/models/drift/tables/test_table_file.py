"""Files become tables in the order of their time, with a note on each column that cannot serve."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from models.drift.tables.labelled_table import UNKNOWN_CLASS, LabelledTable, TableError
from models.drift.tables.table_file import TableColumns, read_table
from tests.unit.models.drift.tables.small_table import CHANGE, REFERENCE, ROWS, small_table

COLUMNS = TableColumns("label", "row")


def written(folder: Path, table: pa.Table, name: str = "table.parquet") -> Path:
    path = folder / name
    if name.endswith(".csv"):
        pa_csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    return path


def read(folder: Path, table: pa.Table, columns: TableColumns = COLUMNS) -> LabelledTable:
    return read_table(written(folder, table), columns, REFERENCE)


def test_parquet_and_csv_give_the_same_table(tmp_path: Path) -> None:
    table = small_table()
    one, other = (read_table(written(tmp_path, table, name), COLUMNS, REFERENCE) for name in ("t.parquet", "t.csv"))
    assert one.names == other.names == ["size", "age", "colour"]
    assert one.classes == other.classes == ["bought", "left"]
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.label, other.label)


def test_rows_are_taken_in_the_order_of_their_time(tmp_path: Path) -> None:
    table = small_table()
    shuffled = table.take(np.random.default_rng(3).permutation(len(table)))
    np.testing.assert_array_equal(read(tmp_path, shuffled).values, read(tmp_path, table).values)


def test_moments_and_dates_give_milliseconds(tmp_path: Path) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    times = [start + timedelta(hours=hour) for hour in range(ROWS)]
    table = small_table().drop_columns("row").append_column("row", pa.array(times))
    moments = read(tmp_path, table).time_ms
    assert moments is not None
    assert moments[0] == start.timestamp() * 1000
    assert set(np.diff(moments)) == {3_600_000}


def test_fractions_of_a_millisecond_are_cut_off(tmp_path: Path) -> None:
    times = pa.array(np.arange(ROWS) * 1_000_001 + 1, pa.timestamp("ns"))
    moments = read(tmp_path, small_table().drop_columns("row").append_column("row", times)).time_ms
    assert moments is not None
    assert moments[:3].tolist() == [0, 1, 2]


def test_columns_that_cannot_serve_are_left_out_with_their_reason(tmp_path: Path) -> None:
    table, rows = small_table(), np.arange(ROWS)
    more: dict[str, Any] = {
        "counter": rows + 0.5,
        "name": [f"customer {row}" for row in rows],
        "constant": np.ones(ROWS),
        "when": pa.array(rows, pa.timestamp("s")),
        "late": np.where(rows < CHANGE, 0, rows),
    }
    for name, values in more.items():
        table = table.append_column(name, pa.array(values))
    got = read(tmp_path, table)
    assert got.names == ["size", "age", "colour", "late"]
    assert [note.split(" is left out: ")[0] for note in got.notes] == ["counter", "name", "constant", "when"]


def test_unknown_values_and_labels_stay_unknown(tmp_path: Path) -> None:
    table = small_table()
    for name in ("size", "colour", "label"):
        values = table[name].to_pylist()
        values[5] = None
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    got = read(tmp_path, table)
    assert np.isnan(got.values[5]).tolist() == [True, False, True]
    assert got.label[5] == UNKNOWN_CLASS
    assert got.classes == ["bought", "left"]


def test_features_may_be_chosen_and_excluded(tmp_path: Path) -> None:
    assert read(tmp_path, small_table(), TableColumns("label", "row", only=("age",))).names == ["age"]
    assert read(tmp_path, small_table(), TableColumns("label", "row", exclude=("age",))).names == ["size", "colour"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (TableColumns("lable", "row"), "has no column 'lable': choose among row, size"),
        (TableColumns("size", "row"), "'size' has 3500 distinct values"),
        (TableColumns("label", "colour"), "'colour' holds string"),
        (TableColumns("label", "row", score="size"), "'size' is no score"),
        (TableColumns("colour", "row", score="size"), "a score needs two classes of labels, got 3"),
        (TableColumns("label", "row", exclude=("size", "age", "colour")), "can serve as a feature"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(columns: TableColumns, said: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=said):
        read(tmp_path, small_table(), columns)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.xlsx").touch()
    with pytest.raises(TableError, match="neither Parquet nor CSV"):
        read_table(tmp_path / "table.xlsx", COLUMNS, REFERENCE)


def test_a_file_that_is_not_what_its_name_says_is_refused_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "table.parquet").write_text("no such thing")
    with pytest.raises(TableError, match="cannot be read") as refused:
        read_table(tmp_path / "table.parquet", COLUMNS, REFERENCE)
    assert "\n" not in str(refused.value)
