"""Files of past transactions."""

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from producers.column_mapping import HANDBOOK, ColumnMapping
from producers.column_reader import HistoryFileError
from producers.history import DAY_MS, History

MIDNIGHT_MS = 1_522_540_800_000
"""2018-04-01T00:00:00Z."""
HOUR_MS = 3_600_000


def handbook(rows: list[tuple[float, int, int, float, int]]) -> pa.Table:
    """Rows of (hour, customer, terminal, amount, fraud) as the handbook has them."""
    hours, customers, terminals, amounts, frauds = zip(*rows, strict=True)
    return pa.table(
        {
            "TRANSACTION_ID": pa.array(range(len(rows)), pa.int32()),
            "TX_DATETIME": pa.array([MIDNIGHT_MS + round(hour * HOUR_MS) for hour in hours], pa.timestamp("ms")),
            "CUSTOMER_ID": pa.array(customers, pa.int16()),
            "TERMINAL_ID": pa.array(terminals, pa.int16()),
            "TX_AMOUNT": pa.array(amounts, pa.float64()),
            "TX_FRAUD": pa.array(frauds, pa.int8()),
        }
    )


ROWS = [(1.0, 5, 7, 12.34, 0), (2.0, 6, 7, 0.1 + 0.2, 1), (25.0, 5, 8, 0.0, 0), (50.0, 5, 8, 2628.0, 1)]


@pytest.fixture(params=["parquet", "csv"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return written(handbook(ROWS), tmp_path / f"history.{request.param}")


def written(table: pa.Table, path: Path) -> Path:
    if path.suffix == ".csv":
        pa_csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    return path


def sent(history: History) -> list[dict[str, Any]]:
    return [msgspec.json.decode(value) for batch in history for value in batch.values]


def test_the_handbooks_rows_become_transactions(path: Path) -> None:
    assert sent(History(path, HANDBOOK))[1] == {
        "transaction_id": "h1",
        "event_time": MIDNIGHT_MS + 2 * HOUR_MS,
        "card_id": "c6",
        "terminal_id": "t7",
        "amount_minor": 30,
        "currency": "EUR",
        "schema_version": 1,
    }


def test_amounts_are_rounded_to_cents(path: Path) -> None:
    assert [one["amount_minor"] for one in sent(History(path, HANDBOOK))] == [1234, 30, 0, 262_800]


def test_keys_are_the_cards(path: Path) -> None:
    assert [key for batch in History(path, HANDBOOK) for key in batch.keys] == [b"c5", b"c6", b"c5", b"c5"]


def test_days_count_from_the_first_midnight_of_the_file(path: Path) -> None:
    history = History(path, HANDBOOK, from_day=1, to_day=2)
    assert [one["transaction_id"] for one in sent(history)] == ["h2"]
    assert (history.start_ms, history.end_ms) == (MIDNIGHT_MS + DAY_MS, MIDNIGHT_MS + 2 * DAY_MS)


def test_frauds_of_the_range_and_before_it_come_along(path: Path) -> None:
    def frauds(history: History) -> list[str]:
        return [fraud.transaction_id for batch in history for fraud in batch.frauds]

    assert frauds(History(path, HANDBOOK)) == ["h1", "h3"]
    assert frauds(History(path, HANDBOOK, from_day=1)) == ["h1", "h3"]
    assert frauds(History(path, HANDBOOK, to_day=2)) == ["h1"]


def test_rows_can_be_sorted_by_event_time(tmp_path: Path) -> None:
    path = written(handbook([ROWS[1], ROWS[3], ROWS[0], ROWS[1]]), tmp_path / "unsorted.parquet")
    assert [one["transaction_id"] for one in sent(History(path, HANDBOOK))] == ["h0", "h1", "h2", "h3"]
    assert [one["transaction_id"] for one in sent(History(path, HANDBOOK, in_order=True))] == ["h2", "h0", "h3", "h1"]


def test_every_optional_field_can_be_mapped(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["a", "b"],
            "when": [1_525_132_800, 1_525_132_801],
            "who": ["007", "008"],
            "where": ["x", "y"],
            "cents": [5, 6],
            "money": ["EUR", "JPY"],
            "mcc": ["0742", None],
            "land": ["DE", None],
        }
    )
    mapping = ColumnMapping(
        columns={
            "transaction_id": "id",
            "event_time": "when",
            "card_id": "card-{who}!",
            "terminal_id": "where",
            "amount_minor": "cents",
            "currency": "money",
            "mcc": "mcc",
            "merchant_country": "land",
        },
        constants={"channel": "pos"},
        time_unit="s",
    )
    for name in ("history.parquet", "history.csv"):
        first, second = sent(History(written(table, tmp_path / name), mapping))
        assert first["event_time"] == 1_525_132_800_000
        assert first["card_id"] == "card-007!"
        assert (first["mcc"], first["merchant_country"], first["channel"]) == ("0742", "DE", "pos")
        assert second["currency"] == "JPY"
        assert "mcc" not in second


def test_amounts_follow_the_minor_unit_of_each_currency(tmp_path: Path) -> None:
    table = handbook(ROWS[:3]).append_column("money", pa.array(["EUR", "JPY", "KWD"]))
    table = table.set_column(4, "TX_AMOUNT", pa.array([1.5, 150.0, 1.2345]))
    mapping = HANDBOOK.with_changes({"currency": "money"}, {})
    path = written(table, tmp_path / "money.parquet")
    assert [one["amount_minor"] for one in sent(History(path, mapping))] == [150, 150, 1234]


def test_times_with_a_zone_are_turned_to_utc(tmp_path: Path) -> None:
    table = handbook(ROWS[:1])
    zoned = pa.array([MIDNIGHT_MS * 1000], pa.timestamp("us", tz="Europe/Berlin"))
    path = written(table.set_column(1, "TX_DATETIME", zoned), tmp_path / "zoned.parquet")
    assert sent(History(path, HANDBOOK))[0]["event_time"] == MIDNIGHT_MS


def test_a_missing_column_is_named_beside_those_there_are(path: Path) -> None:
    mapping = HANDBOOK.with_changes({"card_id": "CARD"}, {})
    with pytest.raises(HistoryFileError, match="no column 'CARD' for card_id; there are: TRANSACTION_ID, TX_DATETIME"):
        History(path, mapping)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nowhere.parquet", None, "there is no file"),
        ("broken.parquet", b"PAR1 not really", "not a readable file"),
        ("empty.csv", b"", "not a readable file"),
        ("notes.txt", b"x", r"neither \.parquet nor \.csv"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HistoryFileError, match=message) as caught:
        History(path, HANDBOOK)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryFileError, match="no rows"):
        History(written(handbook(ROWS).slice(0, 0), tmp_path / "none.parquet"), HANDBOOK)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("CUSTOMER_ID", pa.array([5, None]), "row 2: column CUSTOMER_ID for card_id is empty"),
        ("TX_AMOUNT", pa.array([5.0, float("nan")]), "row 2: amount is no finite amount"),
        ("TX_AMOUNT", pa.array([5.0, -1.0]), "row 2: amount_minor: expected int >= 0, found -100"),
        ("TX_AMOUNT", pa.array(["5", "much"]), "TX_AMOUNT for amount does not read as double"),
        ("TX_DATETIME", pa.array([1_525_132_800, 1_525_132_801]), "row 1: event_time 1525132800 ms .* time_unit"),
        ("TX_DATETIME", pa.array(["x", "y"]), "TX_DATETIME for event_time does not read as timestamp"),
        ("CUSTOMER_ID", pa.array([1.5, 2.5]), "holds decimal numbers, not text"),
        ("CUSTOMER_ID", pa.array(["5", "4111 1111 1111 1111"]), "row 2: .*card number"),
    ],
)
def test_a_value_that_cannot_be_is_named_by_its_row_or_column(
    tmp_path: Path, column: str, values: pa.Array, message: str
) -> None:
    table = handbook(ROWS[:2])
    path = written(table.set_column(table.schema.get_field_index(column), column, values), tmp_path / "bad.parquet")
    mapping = HANDBOOK.with_changes({"card_id": "CUSTOMER_ID"}, {})
    with pytest.raises(HistoryFileError, match=message):
        sent(History(path, mapping))


def test_invalid_rows_can_be_left_out(tmp_path: Path) -> None:
    rows = [ROWS[0], (1.5, 6, 7, -5.0, 0), ROWS[2]]
    history = History(written(handbook(rows), tmp_path / "some.parquet"), HANDBOOK, skips_invalid=True)
    batches = list(history)
    assert [len(batch.keys) for batch in batches] == [2]
    assert [one["transaction_id"] for one in sent(history)] == ["h0", "h2"]
    assert batches[0].event_time.tolist() == [MIDNIGHT_MS + HOUR_MS, MIDNIGHT_MS + 25 * HOUR_MS]
    assert history.skipped == 2


def test_a_range_without_days_is_refused(path: Path) -> None:
    with pytest.raises(HistoryFileError, match="nothing lies between --from-day 3 and --to-day 3"):
        History(path, HANDBOOK, from_day=3, to_day=3)
