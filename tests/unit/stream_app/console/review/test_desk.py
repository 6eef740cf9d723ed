"""The queue: what is in it, in which order, and what a later statement does to it."""

import pytest

from models.schema import wire
from stream_app.console.records.place import Place, PlaceError
from stream_app.console.review.desk import Desk
from stream_app.console.review.worth import Worth
from tests.unit.stream_app.console.review.made_cases import MONEY, desk, rows, said, score


def ids(cases):
    return [case.transaction_id for case in cases]


def test_the_most_valuable_look_comes_first_and_says_why():
    found = desk((score(1, 0.9), 1_000), (score(2, 0.2), 100_000), (score(3, 0.5), 4_000))
    waiting = found.waiting()
    assert ids(waiting) == ["t2", "t3", "t1"]
    assert [found.worth.of(case) for case in waiting] == [19_500, 1_500, 400]
    assert found.worth.in_words(waiting[0]) == (
        "195.00 EUR: a chance of 20% that 1,000.00 EUR are lost, less 5.00 EUR for a review"
    )


def test_a_foreign_amount_counts_in_the_reporting_currency():
    found = Desk(Worth(MONEY, 0))
    found.see_rows(2, rows([score(1, 1.0)], [5_000], currency="JPY"))
    found.see_score(2, wire.encode(score(1, 1.0)))
    (case,) = found.waiting()
    assert (case.payment.amount_minor, case.payment.currency, case.reported_minor) == (5_000, "JPY", 5_000)


def test_what_is_approved_is_no_case():
    assert desk((score(1, 0.1, "approve"), 9_000)).waiting() == []


def test_a_score_that_comes_again_is_the_same_case_whatever_it_says_now():
    found = desk((score(1, 0.9), 1_000))
    found.see_score(2, wire.encode(score(1, 0.99, writer="zombie")))
    found.see_rows(2, rows([score(1, 0.99)], [7_000]))
    (case,) = found.waiting()
    assert (case.score.score, case.payment.amount_minor) == (0.9, 1_000)


def test_the_row_of_the_scores_own_writer_counts_before_one_that_was_computed_again():
    found = Desk(Worth(MONEY, 0))
    found.see_rows(2, rows([score(1)], [111], writer="again"))
    found.see_rows(2, rows([score(1)], [222]))
    found.see_score(2, wire.encode(score(1)))
    assert [case.payment.amount_minor for case in found.waiting()] == [222]


def test_a_case_leaves_the_queue_when_it_is_decided_and_returns_when_that_is_taken_back():
    found = desk((score(1), 1_000), (score(2), 2_000))
    found.see_statement(said(1, is_fraud=True))
    assert ids(found.waiting()) == ["t2"]
    assert [(case.transaction_id, one.in_words) for case, one in found.decided(5)] == [("t1", "fraud, says an analyst")]
    found.see_statement(said(1, is_fraud=False, offset=1, taken_back=True))
    assert ids(found.waiting()) == ["t2", "t1"]
    assert found.decided(5) == []


def test_the_statement_with_the_latest_time_wins_whenever_it_is_read():
    found = desk((score(1), 1_000))
    found.see_statement(said(1, is_fraud=True, source="chargeback", at_ms=1_764_000_009_000))
    found.see_statement(said(1, is_fraud=False, offset=1))
    holds = found.holds("t1")
    assert holds is not None
    assert holds.label.is_fraud
    assert [one.label.is_fraud for one in found.history("t1")] == [False, True]


def test_beyond_its_bound_the_desk_forgets_decided_cases_first_and_counts_them():
    found = Desk(Worth(MONEY, 0), most=2)
    for offset in (1, 2):
        found.see_score(2, wire.encode(score(offset)))
        found.see_rows(2, rows([score(offset)], [100]))
    found.see_statement(said(2, is_fraud=True))
    found.see_score(2, wire.encode(score(3)))
    found.see_rows(2, rows([score(3)], [100]))
    assert (ids(found.waiting()), found.forgotten) == (["t1", "t3"], 1)
    assert found.case(Place(2, 0, 2)) is None


def test_new_cases_are_told_of_once():
    found, told = desk(), []
    found.follow(lambda case: told.append(case.transaction_id))
    for _ in range(2):
        found.see_score(2, wire.encode(score(1)))
        found.see_rows(2, rows([score(1)], [100]))
    assert told == ["t1"]


def test_what_is_no_score_is_refused():
    with pytest.raises(wire.RecordError, match="not a score"):
        desk().see_score(0, b'{"epoch": 1}')


def test_a_place_is_read_as_it_is_written_and_nothing_else_is_one():
    assert Place.of(str(Place(3, 1, 99))) == Place(3, 1, 99)
    with pytest.raises(PlaceError, match="'3-1' is no place"):
        Place.of("3-1")


def test_the_order_is_made_anew_a_moment_after_a_case_and_at_once_after_a_statement():
    now_s = [0.0]
    found = Desk(Worth(MONEY, 0), clock_s=lambda: now_s[0])

    def come(offset):
        found.see_score(2, wire.encode(score(offset)))
        found.see_rows(2, rows([score(offset)], [100 * offset]))

    come(1)
    assert ids(found.waiting()) == ["t1"]
    come(2)
    assert ids(found.waiting()) == ["t1"]
    now_s[0] = 0.3
    assert ids(found.waiting()) == ["t2", "t1"]
    found.see_statement(said(2, is_fraud=True))
    assert ids(found.waiting()) == ["t1"]
