"""Profile counts: only mature transactions, only labels that were made, and the latest statement wins."""

import numpy as np
import pytest

from models.features.card_entry import DAY_MS
from models.features.profile_keeper import STEP_MS, ProfileCounts
from models.features.terminal_counts import StepError
from models.schema.label import Label
from tests.unit.models.features.streams import MATURITY_MS, START_MS

FIRST_STEP = (START_MS // STEP_MS + 1) * STEP_MS
AT = FIRST_STEP - 1000
MATURE = FIRST_STEP + MATURITY_MS


def score(counts, ids, times=None, terminals=None, *, declined=False, explained=False):
    rows = len(ids)
    counts.add_scored(
        np.array(times or [AT] * rows, np.int64),
        terminals or ["s"] * rows,
        ids,
        np.full(rows, declined),
        np.full(rows, explained),
    )


def label(counts, transaction_id, labelled_at, *, is_fraud=True, at=AT, offset=(0, 0)):
    statement = Label(transaction_id, "c", "s", at, is_fraud, "chargeback", labelled_at)
    counts.add_label(statement, offset)


def only(step):
    (profile,) = step.changed
    return profile


def test_a_transaction_counts_from_the_step_at_which_it_is_mature():
    counts = ProfileCounts()
    score(counts, ["a"])
    assert counts.close_step(MATURE - STEP_MS).changed == []
    assert only(counts.close_step(MATURE)).approved == [1, 1, 1, 1]


def test_a_transaction_exactly_the_maturity_old_counts():
    counts = ProfileCounts()
    score(counts, ["a", "b"], times=[FIRST_STEP, FIRST_STEP + 1])
    assert only(counts.close_step(MATURE)).approved == [1, 1, 1, 1]
    assert only(counts.close_step(MATURE + STEP_MS)).approved == [2, 2, 2, 2]


@pytest.mark.parametrize("labelled_at", [MATURE - 1, MATURE])
def test_a_label_made_by_the_step_is_used(labelled_at):
    counts = ProfileCounts()
    score(counts, ["a"])
    label(counts, "a", labelled_at)
    step = counts.close_step(MATURE)
    assert only(step).frauds == [1, 1, 1, 1]
    assert step.youngest_label_event_time == AT


def test_a_label_made_one_millisecond_after_a_step_changes_the_profile_only_at_the_next():
    counts = ProfileCounts()
    score(counts, ["a"])
    label(counts, "a", MATURE + 1)
    step = counts.close_step(MATURE)
    assert only(step).frauds == [0] * 4
    assert only(step).last_genuine_at == AT
    assert step.youngest_label_event_time is None
    later = counts.close_step(MATURE + STEP_MS)
    assert only(later).frauds == [1] * 4
    assert only(later).last_genuine_at is None
    assert later.youngest_label_event_time == AT


def test_a_label_before_its_transactions_maturity_waits_for_it():
    counts = ProfileCounts()
    score(counts, ["a"])
    label(counts, "a", AT)
    assert counts.close_step(FIRST_STEP).changed == []
    assert only(counts.close_step(MATURE)).frauds == [1] * 4


def test_a_reversal_subtracts():
    counts = ProfileCounts()
    score(counts, ["a"])
    label(counts, "a", MATURE)
    label(counts, "a", MATURE + 5, is_fraud=False, offset=(0, 1))
    assert only(counts.close_step(MATURE)).frauds == [1] * 4
    profile = only(counts.close_step(MATURE + STEP_MS))
    assert (profile.frauds, profile.approved) == ([0] * 4, [1] * 4)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_latest_statement_wins_however_they_arrive(order):
    statements = [(MATURE - 5, False, (0, 9)), (MATURE - 4, True, (0, 1))]
    counts = ProfileCounts()
    score(counts, ["a"])
    for which in order:
        labelled_at, is_fraud, offset = statements[which]
        label(counts, "a", labelled_at, is_fraud=is_fraud, offset=offset)
    assert only(counts.close_step(MATURE)).frauds == [1] * 4


def test_an_older_statement_that_arrives_after_a_step_does_not_undo_a_newer_one():
    counts = ProfileCounts()
    score(counts, ["a"])
    label(counts, "a", MATURE - 4)
    counts.close_step(MATURE)
    label(counts, "a", MATURE - 5, is_fraud=False)
    assert counts.close_step(MATURE + STEP_MS).changed == []


def test_of_statements_made_in_one_millisecond_the_last_offset_wins():
    counts = ProfileCounts()
    score(counts, ["a"])
    label(counts, "a", MATURE - 4, is_fraud=False, offset=(0, 8))
    label(counts, "a", MATURE - 4, is_fraud=True, offset=(0, 7))
    assert only(counts.close_step(MATURE)).frauds == [0] * 4


def test_a_label_that_arrives_before_its_transaction_is_kept_for_it():
    counts = ProfileCounts()
    label(counts, "a", AT)
    counts.close_step(FIRST_STEP)
    score(counts, ["a"])
    assert only(counts.close_step(MATURE)).frauds == [1] * 4


def test_a_transaction_scored_twice_counts_once():
    counts = ProfileCounts()
    score(counts, ["a", "a"])
    score(counts, ["a"], declined=True)
    profile = only(counts.close_step(MATURE))
    assert (profile.approved, profile.declines) == ([1] * 4, [0] * 4)


def test_a_declined_transaction_is_no_genuine_one():
    counts = ProfileCounts()
    score(counts, ["a"], declined=True)
    profile = only(counts.close_step(MATURE))
    assert (profile.approved, profile.declines, profile.last_genuine_at) == ([0] * 4, [1] * 4, None)


def test_a_fraud_that_its_amount_explains_is_not_held_against_the_terminal():
    counts = ProfileCounts()
    score(counts, ["a"], explained=True)
    label(counts, "a", AT)
    profile = only(counts.close_step(MATURE))
    assert (profile.frauds, profile.unexplained_frauds, profile.first_unexplained_fraud_at) == ([1] * 4, [0] * 4, None)


def test_the_run_of_frauds_begins_after_the_last_genuine_transaction():
    counts = ProfileCounts()
    score(counts, ["a", "b", "c", "d"], times=[AT - 30, AT - 20, AT - 10, AT])
    for fraud, at in (("a", AT - 30), ("c", AT - 10), ("d", AT)):
        label(counts, fraud, AT, at=at)
    profile = only(counts.close_step(MATURE))
    assert profile.first_unexplained_fraud_at == AT - 30
    assert (profile.last_genuine_at, profile.fraud_run_at) == (AT - 20, AT - 10)


def test_ageing_alone_changes_a_profile_and_removes_it_in_the_end():
    counts = ProfileCounts()
    score(counts, ["a"])
    assert only(counts.close_step(MATURE)).approved == [1, 1, 1, 1]
    assert counts.close_step(MATURE + DAY_MS - STEP_MS).changed == []
    assert only(counts.close_step(MATURE + DAY_MS)).approved == [0, 1, 1, 1]
    assert only(counts.close_step(MATURE + 7 * DAY_MS)).approved == [0, 0, 1, 1]
    assert only(counts.close_step(MATURE + 14 * DAY_MS)).approved == [0, 0, 0, 1]
    last = counts.close_step(MATURE + 30 * DAY_MS)
    assert (last.changed, last.removed) == ([], ["s"])
    assert counts.close_step(MATURE + 30 * DAY_MS + STEP_MS).removed == []


def test_a_late_transaction_counts_in_the_windows_that_still_hold_it():
    counts = ProfileCounts()
    score(counts, ["a"])
    counts.close_step(MATURE + 7 * DAY_MS)
    score(counts, ["b"])
    assert only(counts.close_step(MATURE + 7 * DAY_MS + STEP_MS)).approved == [0, 0, 2, 2]


@pytest.mark.parametrize("as_of", [MATURE + 1, MATURE, MATURE - STEP_MS])
def test_a_step_off_the_grid_or_not_after_the_last_is_refused(as_of):
    counts = ProfileCounts()
    counts.close_step(MATURE)
    with pytest.raises(StepError, match="close steps in order"):
        counts.close_step(as_of)


def test_a_restored_keeper_goes_on_as_the_one_it_was_taken_from():
    one, other = ProfileCounts(), ProfileCounts()
    score(one, ["a", "b"], terminals=["s", "ü"])
    label(one, "a", MATURE)
    label(one, "b", MATURE + STEP_MS)
    label(one, "unseen", MATURE)
    one.close_step(MATURE)
    other.restore(one.snapshot())
    for counts in (one, other):
        score(counts, ["unseen"], terminals=["new"])
        score(counts, ["a"], terminals=["s"])
    assert other.as_of == MATURE
    for step in range(1, 150):
        as_of = MATURE + step * STEP_MS
        assert one.close_step(as_of) == other.close_step(as_of)


def test_what_left_every_window_is_forgotten():
    counts = ProfileCounts()
    for day in range(120):
        at = FIRST_STEP + day * DAY_MS - 1000
        score(counts, [f"{day}-{n}" for n in range(20)], times=[at] * 20, terminals=[f"s{day}-{n}" for n in range(20)])
        label(counts, f"{day}-0", at, at=at)
        label(counts, f"never scored {day}", at, at=at)
        counts.close_step(FIRST_STEP + day * DAY_MS)
    sizes = {name: len(array) for name, array in counts.snapshot().items()}
    assert sizes["rows"] <= 37 * 20 * 4 / 3 + 40
    assert sizes["label_transaction"] <= 2 * 38
    assert counts.terminals <= 37 * 20 * 4 / 3 + 40


@pytest.mark.parametrize("crowd", [0, 50])
def test_an_id_used_again_after_it_left_every_window_counts_anew_whatever_memory_still_holds(crowd):
    counts = ProfileCounts()
    again = AT + 40 * DAY_MS
    score(counts, ["a"])
    score(counts, [f"young {n}" for n in range(crowd)], times=[again] * crowd, terminals=["busy"] * crowd)
    label(counts, "a", MATURE)
    counts.close_step(MATURE)
    counts.close_step(MATURE + 31 * DAY_MS)
    score(counts, ["a"], times=[again], terminals=["other"])
    step = counts.close_step(MATURE + 40 * DAY_MS)
    profile = next(profile for profile in step.changed if profile.terminal_id == "other")
    assert (profile.approved, profile.frauds) == ([1] * 4, [0] * 4)


def test_a_label_for_a_transaction_out_of_every_window_is_dropped():
    counts = ProfileCounts()
    counts.close_step(MATURE + 40 * DAY_MS)
    label(counts, "a", MATURE)
    assert len(counts.snapshot()["label_transaction"]) == 0
