"""How much of the fraud was flagged."""

import pytest

from stream_app.demo.bank import Fraud
from stream_app.demo.ledger import Ledger
from stream_app.demo.recall import DayOfFrauds, FraudsSeen, Recall
from tests.unit.stream_app.demo.ledgers import score, send


@pytest.fixture
def seen() -> FraudsSeen:
    """Six frauds: one trained on, two before the new tactic, one during it, two after the promotion; the last bad."""
    ledger = Ledger(partitions=1)
    send(ledger, 8)
    for offset, (at, decision) in enumerate(
        [
            (1.0, "approve"),
            (2.0, "review"),
            (3.0, "decline"),
            (4.0, "approve"),
            (5.0, "review"),
            (6.0, "approve"),
            (7.0, "review"),
        ]
    ):
        score(ledger, [offset], received_at=at, decision=decision)
    frauds = {
        "p0-0": Fraud("old", 72),
        "p0-1": Fraud("old", 73),
        "p0-2": Fraud("old", 80),
        "p0-3": Fraud("new", 81),
        "p0-4": Fraud("new", 95),
        "p0-5": Fraud("old", 95),
        "p0-6": Fraud("old", 99),
        "p0-7": Fraud("old", 99),
    }
    return FraudsSeen.of(ledger, frauds, "new")


def test_recall_is_told_before_during_and_after(seen: FraudsSeen) -> None:
    found = seen.recall(trained_until=72, tactic_day=81, promoted_ms=4.5, bad_ms=6.5)
    assert found == Recall(before=1.0, during=0.0, after=0.5)


def test_without_a_promotion_there_is_no_after(seen: FraudsSeen) -> None:
    found = seen.recall(trained_until=72, tactic_day=81, promoted_ms=None, bad_ms=6.5)
    assert found == Recall(before=1.0, during=0.3333, after=None)


def test_days_hold_the_frauds_that_were_scored(seen: FraudsSeen) -> None:
    assert seen.by_day(81) == [DayOfFrauds(81, 1, 0), DayOfFrauds(95, 2, 1), DayOfFrauds(99, 1, 1)]


def test_frauds_of_the_new_tactic_are_known_as_such(seen: FraudsSeen) -> None:
    assert seen.day[seen.new].tolist() == [81, 95]
