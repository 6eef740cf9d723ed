"""The labelled file as the evaluation reads it."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.features.history import NO_LABEL
from stream_app.evaluate.truth import Truth, TruthError

DAY_MS = 86_400_000


def write(path: Path, days: list[float], fraud: list[int], ids: list[int] | None = None) -> Path:
    """A file in the handbook's columns."""
    start = datetime(2018, 4, 1, tzinfo=UTC).timestamp() * 1000
    table = {
        "TRANSACTION_ID": pa.array(ids or list(range(len(days))), pa.int32()),
        "TX_DATETIME": pa.array([int(start + day * DAY_MS) for day in days], pa.timestamp("ms")),
        "CUSTOMER_ID": pa.array([1] * len(days), pa.int16()),
        "TERMINAL_ID": pa.array([2] * len(days), pa.int16()),
        "TX_AMOUNT": [12.349999999999998] * len(days),
        "TX_FRAUD": pa.array(fraud, pa.int8()),
    }
    pq.write_table(pa.table(table), path)
    return path


def test_days_count_from_the_first_midnight_and_later_ones_are_left_out(tmp_path: Path) -> None:
    truth = Truth.read(write(tmp_path / "t.parquet", [0.4, 0.9, 1.0, 2.0], [0, 1, 0, 0]), days=2)
    assert truth.days.tolist() == [0, 0, 1]
    assert truth.is_fraud.tolist() == [False, True, False]
    assert truth.day_ms(1) == truth.start_ms + DAY_MS


def test_amounts_are_minor_units_without_the_noise_of_floats(tmp_path: Path) -> None:
    assert Truth.read(write(tmp_path / "t.parquet", [0.4], [0]), days=1).columns.amount.tolist() == [1235]


def test_a_transaction_is_found_by_the_id_it_travels_under(tmp_path: Path) -> None:
    truth = Truth.read(write(tmp_path / "t.parquet", [0.1, 0.2], [0, 0], ids=[7, 5]), days=1)
    assert truth.rows_of(["h5", "h7", "h6"]).tolist() == [1, 0, -1]


def test_only_frauds_are_labelled_and_only_after_the_delay(tmp_path: Path) -> None:
    truth = Truth.read(write(tmp_path / "t.parquet", [0.1, 0.2], [0, 1]), days=1)
    assert truth.history(7 * DAY_MS).labelled_at.tolist() == [NO_LABEL, int(truth.columns.event_time[1]) + 7 * DAY_MS]


def test_a_file_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match="no transactions on event day 4"):
        Truth.read(write(tmp_path / "t.parquet", [0.1, 3.2], [0, 0]), days=5)


def test_a_transaction_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match="names 1 transactions twice"):
        Truth.read(write(tmp_path / "t.parquet", [0.1, 0.2], [0, 0], ids=[3, 3]), days=1)
