"""How the gap of a swap is measured."""

import pytest

from stream_app.demo.accounting import Period
from stream_app.demo.ledger import Ledger
from stream_app.demo.swaps import Swap, swaps, usual_gap_ms
from tests.unit.stream_app.demo.ledgers import score


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(partitions=2)


def test_a_swaps_gap_is_the_longest_of_the_partitions(ledger: Ledger) -> None:
    score(ledger, [0], received_at=1000.0, version="m-1")
    score(ledger, [1], received_at=1007.0, version="m-2")
    score(ledger, [0], partition=1, received_at=1000.0, version="m-1")
    score(ledger, [1], partition=1, received_at=1012.5, version="m-2")
    assert swaps(ledger, ["m-1", "m-2"]) == [Swap("m-2", 12.5)]


def test_a_version_that_comes_back_has_a_gap_each_time(ledger: Ledger) -> None:
    for offset, (version, at) in enumerate([("m-1", 0.0), ("m-2", 3.0), ("m-1", 8.0), ("m-2", 9.0)]):
        score(ledger, [offset], received_at=at, version=version)
    assert swaps(ledger, ["m-1", "m-2", "m-1", "m-2"]) == [Swap("m-2", 3.0), Swap("m-1", 5.0), Swap("m-2", 1.0)]


def test_what_a_canary_decides_before_its_promotion_is_no_swap(ledger: Ledger) -> None:
    score(ledger, [0], received_at=0.0, version="m-1")
    score(ledger, [1], received_at=2.0, version="m-2", role="canary")
    score(ledger, [2], received_at=9.0, version="m-1")
    score(ledger, [3], received_at=13.0, version="m-2")
    assert swaps(ledger, ["m-1", "m-2"]) == [Swap("m-2", 4.0)]


def test_a_partition_that_was_quiet_during_a_version_says_nothing_of_it(ledger: Ledger) -> None:
    score(ledger, [0], received_at=0.0, version="m-1")
    score(ledger, [1], received_at=2.0, version="m-2")
    score(ledger, [2], received_at=5.0, version="m-3")
    score(ledger, [0], partition=1, received_at=0.0, version="m-1")
    score(ledger, [1], partition=1, received_at=90.0, version="m-3")
    assert swaps(ledger, ["m-1", "m-2", "m-3"]) == [Swap("m-2", 2.0), Swap("m-3", 90.0)]


def test_a_swap_that_no_score_shows_has_no_gap(ledger: Ledger) -> None:
    score(ledger, [0], version="m-1")
    assert swaps(ledger, ["m-1", "m-2"]) == [Swap("m-2", 0.0)]


def test_the_usual_gap_is_between_batches_not_between_scores_of_one(ledger: Ledger) -> None:
    score(ledger, range(100), received_at=1000.0)
    score(ledger, range(100, 200), received_at=1004.0)
    score(ledger, range(200, 300), received_at=5000.0)
    assert usual_gap_ms(ledger, Period(0, 2000)) == 4.0


def test_without_scores_there_is_no_usual_gap(ledger: Ledger) -> None:
    assert usual_gap_ms(ledger, Period(0, 2000)) == 0.0
