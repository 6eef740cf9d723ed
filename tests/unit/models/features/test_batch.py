"""Batch features equal, bit for bit, what a scorer and a profile keeper compute in lockstep."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.batch import batch_features
from models.features.card_entry import DAY_MS, HOUR_MS
from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.features.history import NO_LABEL, History, HistoryError
from models.features.profile_keeper import STEP_MS, ProfileCounts
from models.features.profile_table import ProfileTable
from models.schema.hashing import hash64
from models.schema.label import Label
from tests.unit.models.features.streams import START_MS, apply_profiles, columns_of, pieces, random_history

SEEDS = st.integers(0, 2**32 - 1)


class Lockstep:
    """A scorer and a keeper that exchange records as on topics; the keeper closes every step that is over."""

    def __init__(self, history, ids, terminal_ids):
        self.history, self.ids, self.terminal_ids = history, ids, terminal_ids
        self.cards, self.table, self.keeper = CardState(DEFAULT), ProfileTable(DEFAULT), ProfileCounts()
        self.now = 0
        self.labels = sorted(np.flatnonzero(history.labelled_at != NO_LABEL), key=lambda row: history.labelled_at[row])

    def score(self, start, stop):
        """Score rows up to the first that lies in a later step; returns values and how far it came."""
        times = self.history.columns.event_time
        step = max(self.now, int(times[start])) // STEP_MS
        self._close_steps_up_to(step * STEP_MS)
        end = start
        while end < stop and times[end] // STEP_MS <= step:
            end += 1
        self.now = max(self.now, *map(int, times[start:end]))
        columns = self.history.columns.slice(start, end)
        values = np.zeros((end - start, len(DEFAULT)), np.float32)
        self.cards.advance(columns, values, np.zeros(end - start, np.uint8))
        self.table.fill(columns, values)
        self.keeper.add_scored(
            columns.event_time,
            self.terminal_ids[start:end],
            self.ids[start:end],
            self.history.declined[start:end],
            DEFAULT.explained(values),
        )
        return values, end

    def _close_steps_up_to(self, as_of):
        first = self.keeper.as_of + STEP_MS if self.keeper.as_of else as_of
        for step in range(first, as_of + 1, STEP_MS):
            self._send_labels(step)
            closed = self.keeper.close_step(step)
            apply_profiles(self.table, step, closed.changed, closed.removed)

    def _send_labels(self, as_of):
        while self.labels and self.history.labelled_at[self.labels[0]] <= as_of + 3 * HOUR_MS:
            row = self.labels.pop(0)
            label = Label(
                self.ids[row],
                "c",
                self.terminal_ids[row],
                int(self.history.columns.event_time[row]),
                bool(self.history.is_fraud[row]),
                "chargeback",
                int(self.history.labelled_at[row]),
            )
            self.keeper.add_label(label, (0, int(row)))


def streamed(history, ids, terminal_ids, borders):
    lockstep = Lockstep(history, ids, terminal_ids)
    found = []
    for start, stop in pairwise(borders):
        done = start
        while done < stop:
            values, done = lockstep.score(done, stop)
            found.append(values)
    return np.vstack(found)


def named(history):
    """The ids whose hashes the history holds."""
    terminal_of = {hash64(f"s{n}"): f"s{n}" for n in range(10)}
    id_of = {hash64(f"t{n}"): f"t{n}" for n in range(len(history))}
    columns = history.columns
    return [id_of[h] for h in columns.transaction.tolist()], [terminal_of[h] for h in columns.terminal.tolist()]


@settings(max_examples=12)
@given(SEEDS, st.integers(0, 30))
def test_batch_and_lockstep_are_bit_equal_for_any_split(seed, cuts):
    history = random_history(seed, rows=200, days=50)
    batch = batch_features(history, DEFAULT)
    ids, terminal_ids = named(history)
    stream = streamed(history, ids, terminal_ids, pieces(len(history), seed, cuts))
    assert batch.tobytes() == stream.tobytes()


def test_the_random_histories_hold_frauds_that_profiles_count():
    batch = batch_features(random_history(2, rows=200, days=50), DEFAULT)
    for name in ("terminal_frauds_30d", "terminal_unexplained_30d", "terminal_declines_30d"):
        assert batch[:, DEFAULT.index(name)].any()
    assert (batch[:, DEFAULT.index("terminal_days_since_fraud_run")] > 0).any()


def two_payments(labelled_at, scored_at):
    columns = columns_of([START_MS - 1000, scored_at], [100, 100], cards=["a", "b"])
    return History(columns, np.array([True, False]), np.array([labelled_at, NO_LABEL]))


def frauds_seen(history):
    return batch_features(history, DEFAULT)[-1, DEFAULT.index("terminal_frauds_1d")]


def test_a_label_is_used_from_the_first_step_after_it_was_made():
    step = (START_MS // STEP_MS) * STEP_MS + 7 * DAY_MS
    assert frauds_seen(two_payments(step, step)) == 1
    assert frauds_seen(two_payments(step, step - 1)) == 0
    assert frauds_seen(two_payments(step + 1, step + STEP_MS - 1)) == 0
    assert frauds_seen(two_payments(step + 1, step + STEP_MS)) == 1


def test_a_transaction_out_of_order_is_scored_with_the_newest_profiles():
    step = (START_MS // STEP_MS) * STEP_MS + 7 * DAY_MS
    columns = columns_of([START_MS - 1000, step, step - HOUR_MS], [100] * 3, cards=["a", "b", "c"])
    history = History(columns, np.array([True, False, False]), np.array([START_MS, NO_LABEL, NO_LABEL]))
    assert frauds_seen(history) == 1


def test_a_history_may_begin_at_time_zero():
    columns = columns_of([0, 8 * DAY_MS], [100, 100])
    history = History(columns, np.array([True, False]), np.array([0, NO_LABEL]))
    assert batch_features(history, DEFAULT)[-1, DEFAULT.index("terminal_frauds_7d")] == 1


def test_columns_of_unequal_lengths_are_refused():
    columns = columns_of([START_MS], [100])
    with pytest.raises(HistoryError, match="one row per transaction"):
        History(columns, np.zeros(2, np.bool_), np.zeros(1, np.int64))
