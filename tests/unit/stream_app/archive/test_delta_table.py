"""A table that is appended to: positions, stale writers, compaction and old versions."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest

from models.features.profile_keeper import STEP_MS
from models.schema.topics import DAY_MS, LABELS
from stream_app.archive.compactor import OPEN_FACTOR, Compactor
from stream_app.archive.delta_table import ArchiveTable, ArchiveTableError, StalePositionError
from stream_app.archive.positions import TablePositions
from stream_app.archive.source import InputGoneError, start_offset
from stream_app.archive.table_files import TableFiles
from stream_app.archive.tables import SCHEMAS
from stream_app.topic_admin import TopicDescription

DAY = 19_000


def opened(folder: Path) -> ArchiveTable:
    return ArchiveTable(str(folder), LABELS, {}, keep_versions_days=30)


def rows(*offsets: int, day: int = DAY) -> pa.Table:
    made = [
        {"transaction_id": f"t{at}", "event_time": day * DAY_MS, "kafka_offset": at, "event_day": day} for at in offsets
    ]
    columns = [pa.array([row.get(field.name) for row in made], _plain(field.type)) for field in SCHEMAS[LABELS]]
    return pa.Table.from_arrays(columns, names=SCHEMAS[LABELS].names).cast(SCHEMAS[LABELS])


def _plain(of_type: pa.DataType) -> pa.DataType:
    return pa.int32() if pa.types.is_date32(of_type) else of_type


def offsets(folder: Path, version: int | None = None) -> list[int]:
    with duckdb.connect() as connection:
        source = TableFiles(str(folder), LABELS, version).source(connection, [])
        return [at for (at,) in connection.execute(f"SELECT kafka_offset FROM {source} ORDER BY 1").fetchall()]


def test_rows_and_positions_are_there_for_the_next_writer(tmp_path: Path) -> None:
    opened(tmp_path).append(rows(0, 1), {"id/0": 2, "last-seen/0": 7})
    again = opened(tmp_path)
    assert (again.position("id/0"), again.position("last-seen/0"), again.position("id/1")) == (2, 7, None)
    assert offsets(tmp_path) == [0, 1]


def test_a_position_moves_without_rows(tmp_path: Path) -> None:
    table = opened(tmp_path)
    table.append(rows(), {"id/0": 5})
    assert opened(tmp_path).position("id/0") == 5
    assert offsets(tmp_path) == []


def test_a_writer_with_a_stale_position_fails_instead_of_doubling(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.append(rows(0, 1), {"id/0": 2})
    with pytest.raises(StalePositionError, match="moved on by another process"):
        second.append(rows(0, 1), {"id/0": 2})
    assert offsets(tmp_path) == [0, 1]


def test_compaction_leaves_rows_positions_and_old_versions_as_they_were(tmp_path: Path) -> None:
    table = opened(tmp_path)
    for at in range(5):
        table.append(rows(at), {"id/0": at + 1})
    assert table.compact(DAY) == 5
    table.append(rows(5), {"id/0": 6})
    again = opened(tmp_path)
    assert again.small_files == {DAY: 2}
    assert again.position("id/0") == 6
    assert offsets(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert offsets(tmp_path, version=3) == [0, 1, 2]
    assert table.vacuum() == 0


def test_a_topic_that_was_created_again_has_no_position_and_marks_stay(tmp_path: Path) -> None:
    table = opened(tmp_path)
    old = TablePositions(table, TopicDescription("labels", "old-id", 1, -1, ""))
    moved = old.moved({0: 9}, {"last-seen": {0: 4}})
    table.append(rows(8), moved)
    old.committed(moved)
    assert old.moved({0: 9}, {"last-seen": {0: 4}}) == {}
    new = TablePositions(opened(tmp_path), TopicDescription("labels", "new-id", 1, -1, ""))
    assert new.offsets == {}
    assert new.marks("last-seen", 1) == {0: 4}


def test_storage_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / LABELS).write_text("in the way")
    with pytest.raises(ArchiveTableError, match="check --archive"):
        opened(tmp_path)


def test_closed_days_with_many_small_files_are_compacted_the_fullest_first() -> None:
    done: list[int] = []

    def compact(day: int) -> int:
        done.append(day)
        return 1

    files = {DAY: 3, DAY + 1: 9, DAY + 2: 2, DAY + 3: 9, DAY + 4: 2 * OPEN_FACTOR + 1}
    table = cast("ArchiveTable", SimpleNamespace(name="t", small_files=files, compact=compact))
    watermark = (DAY + 3) * DAY_MS + STEP_MS
    assert list(Compactor([table], small_files=2, budget_s=60).run(watermark, lambda: None)) == [("t", 1)] * 3
    assert done == [DAY + 4, DAY + 1, DAY]


def test_no_compaction_is_begun_when_the_time_is_used_up() -> None:
    table: Any = SimpleNamespace(name="t", small_files={DAY: 99}, compact=lambda _: pytest.fail("compacted"))
    assert list(Compactor([table], small_files=2, budget_s=0).run(DAY_MS * DAY * 2, lambda: None)) == []


def test_reading_goes_on_at_the_position_or_at_the_beginning() -> None:
    assert start_offset("labels", 0, None, 3, 9, accept_loss=False) == 3
    assert start_offset("labels", 0, 9, 3, 9, accept_loss=False) == 9
    assert start_offset("labels", 0, 2, 3, 9, accept_loss=True) == 3


@pytest.mark.parametrize(("wanted", "accept_loss"), [(2, False), (10, False), (10, True)])
def test_records_that_are_gone_or_never_were_are_refused(wanted: int, accept_loss: bool) -> None:
    with pytest.raises(InputGoneError, match="labels 0"):
        start_offset("labels", 0, wanted, 3, 9, accept_loss=accept_loss)
