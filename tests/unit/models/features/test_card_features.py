"""Own and card features: the kernels against plain definitions, and what single features mean."""

import numpy as np
import pytest

from models.features.card_entry import DAY_MS, HOUR_MS
from models.features.card_measures import COLUMNS
from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from tests.unit.models.features.plain_features import PlainCard
from tests.unit.models.features.streams import START_MS, columns_of, random_columns


def advanced(columns):
    values = np.full((len(columns), len(DEFAULT)), np.nan, np.float32)
    status = np.full(len(columns), 99, np.uint8)
    CardState(DEFAULT).advance(columns, values, status)
    return values, status


def last(columns, name):
    return advanced(columns)[0][-1, DEFAULT.index(name)]


@pytest.mark.parametrize("seed", range(6))
def test_every_feature_and_status_equals_its_plain_definition(seed):
    columns = random_columns(seed, rows=300, days=[75, 40, 20, 5, 2, 60][seed], repeated=0.08)
    values, status = advanced(columns)
    cards: dict[int, PlainCard] = {}
    for row in range(len(columns)):
        plain = cards.setdefault(int(columns.card[row]), PlainCard())
        expected, expected_status = plain.take(
            {
                "id": int(columns.transaction[row]),
                "at": int(columns.event_time[row]),
                "amount": int(columns.amount[row]),
                "terminal": int(columns.terminal[row]),
                "country": int(columns.country[row]),
                "channel": int(columns.channel[row]),
                "entry_mode": int(columns.entry_mode[row]),
                "mcc": int(columns.mcc[row]),
            }
        )
        got = dict(zip(DEFAULT.names[:COLUMNS], values[row].tolist(), strict=False))
        assert got == {name: float(value) for name, value in expected.items()}, f"row {row}"
        assert status[row] == expected_status


def test_every_own_and_card_column_is_filled_and_no_other():
    values, _ = advanced(random_columns(1, rows=50))
    assert np.isfinite(values[:, :COLUMNS]).all()
    assert np.isnan(values[:, COLUMNS:]).all()


def test_a_transaction_exactly_a_window_old_is_outside_it():
    times = [START_MS, START_MS + DAY_MS]
    assert last(columns_of(times, [100, 100]), "card_count_1d") == 0
    assert last(columns_of([times[0] + 1, times[1]], [100, 100]), "card_count_1d") == 1


def test_the_usual_amount_is_not_moved_by_a_few_very_large_ones():
    amounts = [1000] * 20 + [90_000, 80_000, 1000]
    times = START_MS + HOUR_MS * np.arange(len(amounts))
    assert last(columns_of(times, amounts), "card_usual_amount") == 10
    assert last(columns_of(times, amounts), "card_outliers_1d") == 2


def test_the_first_transaction_of_a_card_has_the_stated_values():
    columns = columns_of([START_MS], [1234])
    expected = {
        "card_count_30d": 0, "card_amount_to_usual": 1, "card_amount_to_max_30d": 1, "card_hours_since_last": 720,
        "card_is_new_terminal": 1, "card_is_new_country": 1, "card_history_days": 0,
    }  # fmt: skip
    assert {name: last(columns, name) for name in expected} == expected


def test_amounts_beyond_the_stored_range_count_as_the_largest():
    columns = columns_of([START_MS, START_MS + 1], [10**12, 10**12])
    assert last(columns, "card_usual_amount") == np.float32((2**31 - 1) / 100)
    assert last(columns, "amount") == np.float32((2**31 - 1) / 100)


def test_a_series_of_small_payments_is_counted():
    times = [START_MS + 60_000 * minute for minute in range(9)]
    assert last(columns_of(times, [99] * 9), "card_small_count_1h") == 8
    assert last(columns_of(times, [99] * 9), "card_count_10m") == 8


def test_another_country_shortly_before_is_seen():
    columns = columns_of([START_MS, START_MS + HOUR_MS], [100, 100], country=["DE", "US"])
    assert last(columns, "card_hours_since_other_country") == 1
    assert last(columns, "card_is_new_country") == 1
    assert last(columns, "card_countries_1d") == 1
