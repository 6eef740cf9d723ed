"""Card state: independent of batches, exact under disorder, restored from increments, and of a stated size."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.card_entry import DAY_MS, ENTRY, HOUR_MS, STORED_MS
from models.features.card_state import CardArraysError, CardState
from models.features.card_windows import DUPLICATE, LATE, TOO_LATE
from models.features.feature_set import DEFAULT
from models.schema.columns import TransactionColumns
from models.schema.hashing import hash64_column
from tests.unit.models.features.streams import START_MS, columns_of, pieces, random_columns

SEEDS = st.integers(0, 2**32 - 1)


def take(state, columns, borders=None):
    """Advance piece by piece; returns values and status."""
    borders = borders or [0, len(columns)]
    values = np.zeros((len(columns), len(DEFAULT)), np.float32)
    status = np.zeros(len(columns), np.uint8)
    for start, stop in pairwise(borders):
        state.advance(columns.slice(start, stop), values[start:stop], status[start:stop])
    return values, status


def same(one, other):
    return {name: array.tobytes() for name, array in one.items()} == {
        name: array.tobytes() for name, array in other.items()
    }


@settings(max_examples=40)
@given(SEEDS, st.integers(0, 12))
def test_any_split_into_batches_gives_the_same_bits(seed, cuts):
    columns = random_columns(seed)
    whole, piecewise = CardState(DEFAULT), CardState(DEFAULT)
    values, status = take(whole, columns)
    again, status_again = take(piecewise, columns, pieces(len(columns), seed, cuts))
    assert values.tobytes() == again.tobytes()
    assert status.tobytes() == status_again.tobytes()
    assert same(whole.everything(), piecewise.everything())


@settings(max_examples=40)
@given(SEEDS)
def test_a_state_restored_from_base_and_increments_goes_on_with_the_same_bits(seed):
    columns = random_columns(seed, cards=9)
    first, second, third = 150, 250, len(columns)
    one = CardState(DEFAULT)
    take(one, columns.slice(0, first))
    one.take_changes()
    base = one.everything()
    take(one, columns.slice(first, first + 50))
    increment = one.take_changes()
    take(one, columns.slice(first + 50, second))
    other = CardState(DEFAULT)
    other.restore([base, increment, one.take_changes()])
    expected, _ = take(one, columns.slice(second, third))
    got, _ = take(other, columns.slice(second, third))
    assert expected.tobytes() == got.tobytes()


@settings(max_examples=25)
@given(SEEDS)
def test_arrival_within_a_day_of_disorder_leaves_the_state_of_an_ordered_stream(seed):
    rng = np.random.default_rng(seed)
    columns = random_columns(seed, disorder_h=0.0, repeated=0.0, days=20, rows=200)
    distinct = np.unique(columns.event_time, return_index=True)[1]
    arrival = np.argsort(columns.event_time[distinct] + rng.integers(0, 23 * HOUR_MS, len(distinct)))
    ordered, disordered = CardState(DEFAULT), CardState(DEFAULT)
    take(ordered, taken(columns, distinct))
    _, status = take(disordered, taken(columns, distinct[arrival]))
    assert not (status & (DUPLICATE | TOO_LATE)).any()
    assert by_card(ordered) == by_card(disordered)


def taken(columns, rows):
    return TransactionColumns(**{name: getattr(columns, name)[rows] for name in columns.__slots__})


def by_card(state):
    arrays = state.everything()
    borders = np.cumsum(arrays["lengths"])[:-1]
    windows = np.split(arrays["entries"], borders)
    return {card: window.tobytes() for card, window in zip(arrays["cards"].tolist(), windows, strict=True)}


def test_a_replay_without_output_leaves_the_same_state():
    columns = random_columns(3)
    scored, replayed = CardState(DEFAULT), CardState(DEFAULT)
    _, status = take(scored, columns)
    status_of_replay = np.zeros(len(columns), np.uint8)
    replayed.advance(columns, None, status_of_replay)
    assert same(scored.everything(), replayed.everything())
    assert status.tobytes() == status_of_replay.tobytes()


def test_a_repeated_transaction_is_marked_scored_alike_and_not_counted():
    times = [START_MS, START_MS + HOUR_MS, START_MS + HOUR_MS, START_MS + 2 * HOUR_MS]
    columns = columns_of(times, [100, 700, 700, 100], ids=["a", "b", "b", "c"])
    values, status = take(CardState(DEFAULT), columns)
    assert status.tolist() == [0, 0, DUPLICATE, 0]
    assert values[1].tobytes() == values[2].tobytes()
    assert values[3, DEFAULT.index("card_count_1d")] == 2


def test_a_transaction_two_hours_late_is_inserted_in_order():
    times = [START_MS, START_MS + 3 * HOUR_MS, START_MS + HOUR_MS, START_MS + 4 * HOUR_MS]
    values, status = take(CardState(DEFAULT), columns_of(times, [100] * 4))
    assert status.tolist() == [0, 0, LATE, 0]
    assert values[:, DEFAULT.index("card_count_1d")].tolist() == [0, 1, 1, 3]


def test_a_transaction_more_than_a_day_late_is_scored_and_not_counted():
    times = [START_MS, START_MS + 3 * DAY_MS, START_MS + 2 * DAY_MS - 1, START_MS + 3 * DAY_MS]
    values, status = take(CardState(DEFAULT), columns_of(times, [100] * 4))
    assert status.tolist() == [0, 0, TOO_LATE, 0]
    assert values[:, DEFAULT.index("card_count_7d")].tolist() == [0, 1, 1, 2]


def test_a_transaction_repeated_after_it_left_the_window_counts_again():
    columns = columns_of([START_MS, START_MS + 31 * DAY_MS, START_MS + 31 * DAY_MS], [100] * 3, ids=["a", "b", "a"])
    assert take(CardState(DEFAULT), columns)[1].tolist() == [0, 0, 0]


def test_five_thousand_transactions_of_one_card_are_all_counted():
    times = START_MS + 500_000 * np.arange(5001)
    values, _ = take(CardState(DEFAULT), columns_of(times, [100] * 5001))
    assert values[-1, DEFAULT.index("card_count_30d")] == 5000


def test_a_window_that_slides_for_years_does_not_grow():
    times = START_MS + 12 * HOUR_MS * np.arange(2000)
    state = CardState(DEFAULT)
    take(state, columns_of(times, [100] * 2000))
    assert state.everything()["lengths"].tolist() == [62]
    assert state.transactions <= 80


def test_an_increment_holds_only_what_was_stored():
    state = CardState(DEFAULT)
    state.take_changes()
    take(state, columns_of([START_MS] * 3, [100] * 3, cards=["a", "b", "c"]))
    assert len(state.take_changes()["changes"]) == 3
    take(state, columns_of([START_MS + 1] * 2, [100] * 2, cards=["b", "b"], ids=["later", "later"]))
    changes: Any = state.take_changes()
    assert (len(changes["cards"]), changes["changes"]["event_time"].tolist()) == (0, [START_MS + 1])
    assert len(state.take_changes()["changes"]) == 0


def test_everything_leaves_the_next_increment_as_it_is():
    state = CardState(DEFAULT)
    state.take_changes()
    take(state, columns_of([START_MS], [100]))
    state.everything()
    assert len(state.take_changes()["changes"]) == 1


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 5))
def test_parts_taken_while_transactions_come_give_the_state_at_the_last_of_them(seed, at_once):
    columns = random_columns(seed, cards=11)
    state = CardState(DEFAULT)
    take(state, columns.slice(0, 150))
    parts, borders = [], [150]
    for part in state.parts(at_once):
        parts.append(part)
        expected = by_card(state)
        borders.append(min(borders[-1] + 17, 400))
        take(state, columns.slice(*borders[-2:]))
    other = CardState(DEFAULT)
    other.restore(parts)
    assert by_card(other) == expected
    other.restore([*parts, state.take_changes()])
    assert by_card(other) == by_card(state)


@pytest.mark.parametrize("seed", range(4))
def test_cards_that_grow_past_cleaned_segments_keep_every_transaction(seed):
    rng = np.random.default_rng(seed)
    rows, cards = 150_000, 3_000
    times = START_MS + np.sort(rng.integers(0, 90 * DAY_MS, rows))
    who = np.minimum(rng.zipf(1.2, rows), cards)
    columns = TransactionColumns.from_arrays(
        times,
        rng.integers(100, 10_000, rows),
        hash64_column([f"c{card}" for card in range(cards + 1)])[who],
        np.arange(rows).astype(np.uint64),
        rng.integers(1, 2**63, rows).astype(np.uint64),
    )
    state = CardState(DEFAULT)
    for start in range(0, rows, 5_000):
        state.advance(columns.slice(start, start + 5_000), None, np.zeros(5_000, np.uint8))
    newest = np.zeros(cards + 1, np.int64)
    np.maximum.at(newest, who, times)
    held = times > newest[who] - STORED_MS
    everything: Any = state.everything()
    assert int(everything["lengths"].sum()) == held.sum()
    assert np.sort(everything["entries"]["transaction"]).tolist() == np.flatnonzero(held).tolist()
    assert state.nbytes < 10_000_000


def test_arrays_whose_lengths_do_not_add_up_are_refused():
    state = CardState(DEFAULT)
    take(state, columns_of([START_MS], [100]))
    torn = {**state.everything(), "entries": np.zeros(0, ENTRY)}
    with pytest.raises(CardArraysError, match="restore from an older checkpoint"):
        CardState(DEFAULT).restore([torn])


def test_thirty_transactions_of_a_card_take_less_than_a_kilobyte():
    rng = np.random.default_rng(5)
    rows, cards = 1_200_000, 40_000
    columns = TransactionColumns.from_arrays(
        START_MS + np.arange(rows) * (30 * DAY_MS // rows),
        rng.integers(100, 10_000, rows),
        rng.integers(1, 2**63, cards).astype(np.uint64)[rng.integers(0, cards, rows)],
        np.arange(rows).astype(np.uint64),
        rng.integers(1, 2**63, rows).astype(np.uint64),
    )
    state = CardState(DEFAULT)
    state.advance(columns, None, np.zeros(rows, np.uint8))
    assert ENTRY.itemsize == 24
    assert state.nbytes / cards < 1_000
