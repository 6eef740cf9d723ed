"""Which column is which field."""

from pathlib import Path

import pytest

from producers.column_mapping import HANDBOOK, READY, ColumnMapping, MappingError, read_mapping

COLUMNS = {"transaction_id": "id", "event_time": "t", "card_id": "c", "terminal_id": "m", "amount": "a"}


def test_ready_mappings_are_found_by_name() -> None:
    assert read_mapping("handbook", {}, {}) == HANDBOOK
    READY["handbook"].require_transactions()
    READY["truth"].require_labels()


def test_single_fields_can_be_given_otherwise() -> None:
    mapping = read_mapping("handbook", {"amount_minor": "CENTS", "currency": "MONEY"}, {"channel": "pos"})
    assert "amount" not in mapping.columns
    assert mapping.columns["currency"] == "MONEY"
    assert mapping.constants == {"channel": "pos"}
    assert read_mapping("handbook", {}, {"terminal_id": "t1"}).constants["terminal_id"] == "t1"


def test_a_mapping_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(
        '{"columns":{"transaction_id":"a","event_time":"b","card_id":"c","terminal_id":"d"},"time_unit":"s"}'
    )
    assert read_mapping(str(path), {"amount": "e"}, {"currency": "EUR"}).time_unit == "s"


@pytest.mark.parametrize(
    ("columns", "constants", "message"),
    [
        ({**COLUMNS, "colour": "x"}, {}, "no field 'colour'; there are: account_id, amount"),
        (COLUMNS, {"card_id": "x"}, "card_id is given as a column and as a constant"),
        ({**COLUMNS, "amount": "EUR {a}"}, {}, "amount is a number"),
        ({key: COLUMNS[key] for key in ("transaction_id", "event_time")}, {}, "--column card_id=COLUMN"),
        ({key: text for key, text in COLUMNS.items() if key != "event_time"}, {"event_time": "1"}, "every row"),
    ],
)
def test_mappings_that_cannot_be_are_refused(columns: dict[str, str], constants: dict[str, str], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        ColumnMapping(columns, constants)


@pytest.mark.parametrize(
    ("columns", "constants", "message"),
    [
        (COLUMNS, {}, "where currency comes from"),
        ({**COLUMNS, "amount_minor": "x"}, {"currency": "EUR"}, "either amount"),
        ({key: text for key, text in COLUMNS.items() if key != "amount"}, {"currency": "EUR"}, "either amount"),
    ],
)
def test_a_mapping_without_money_sends_no_transactions(
    columns: dict[str, str], constants: dict[str, str], message: str
) -> None:
    with pytest.raises(MappingError, match=message):
        ColumnMapping(columns, constants).require_transactions()


def test_a_mapping_without_frauds_sends_no_labels() -> None:
    with pytest.raises(MappingError, match="where is_fraud comes from"):
        ColumnMapping(COLUMNS).require_labels()


@pytest.mark.parametrize("content", [None, "", "{}", '{"columns":{},"colums":{}}', '{"columns":{"card_id":5}}'])
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "mapping.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(MappingError, match=r"mapping\.json"):
        read_mapping(str(path), {}, {})
