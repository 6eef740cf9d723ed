"""What a demo's figures count."""

import numpy as np
import pytest

from models.schema.hashing import hash64_column
from stream_app.demo.accounting import Account, Caught, Period, account, caught, latencies_ms, latency, throughput
from stream_app.demo.ledger import Ledger, SeenScore
from tests.unit.stream_app.demo.ledgers import score, send


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(partitions=2)


def test_a_transaction_without_a_score_is_lost(ledger: Ledger) -> None:
    send(ledger, 3)
    send(ledger, 2, partition=1)
    score(ledger, [0, 2])
    score(ledger, [0, 1], partition=1)
    assert account(ledger) == Account(transactions=5, lost=1, duplicated=0, repetitions=0)


def test_a_repeated_record_is_dropped_by_the_readers_rule_and_counted_beside(ledger: Ledger) -> None:
    send(ledger, 3)
    score(ledger, [0, 1, 2])
    score(ledger, [1, 2])
    assert account(ledger) == Account(transactions=3, lost=0, duplicated=0, repetitions=2)


def test_a_transaction_that_two_offsets_score_is_duplicated(ledger: Ledger) -> None:
    send(ledger, 2)
    score(ledger, [0])
    ledger.add_scores(0, [SeenScore("p0-0", "approve", 0.1, "m-1", 1, 0)], 1010.0)
    assert account(ledger) == Account(transactions=2, lost=1, duplicated=1, repetitions=0)


def test_latency_is_from_the_records_timestamp_to_the_scores_receipt_wherever_partitions_stand(ledger: Ledger) -> None:
    send(ledger, 2, sent_at=1000, every_ms=10)
    send(ledger, 1, partition=1, sent_at=1000)
    score(ledger, [0], received_at=1004.0)
    score(ledger, [1], received_at=1013.0)
    score(ledger, [0], partition=1, received_at=1009.0)
    assert sorted(latencies_ms(ledger, Period(0, 2000)).tolist()) == [3.0, 4.0, 9.0]


def test_latency_leaves_out_what_was_sent_outside_the_period_or_is_not_scored(ledger: Ledger) -> None:
    send(ledger, 4, sent_at=1000, every_ms=10)
    score(ledger, [0, 1], received_at=1050.0)
    assert latencies_ms(ledger, Period(1010, 1040)).tolist() == [40.0]


def test_latency_of_nothing_is_zero() -> None:
    assert latency(np.empty(0)) == (0.0, 0.0)


def test_throughput_counts_from_the_first_transaction_of_the_burst_to_the_last_score(ledger: Ledger) -> None:
    send(ledger, 5, sent_at=1000)
    score(ledger, range(5), received_at=1005.0)
    send(ledger, 100, sent_at=3000)
    score(ledger, range(5, 105), received_at=3500.0)
    assert throughput(ledger, since_ms=2000.0) == 200.0


def test_throughput_of_no_burst_is_zero(ledger: Ledger) -> None:
    send(ledger, 5)
    assert throughput(ledger, since_ms=2000.0) == 0.0


def test_flagged_scores_are_held_against_the_truth(ledger: Ledger) -> None:
    send(ledger, 4)
    score(ledger, [0, 1], received_at=1500.0, decision="review")
    score(ledger, [2, 3], received_at=1600.0)
    frauds = hash64_column(["p0-1", "p0-2", "not-sent-yet"])
    assert caught(ledger, 1000.0, frauds) == Caught(flagged=2, frauds=2, both=1)
    assert caught(ledger, 1550.0, frauds) == Caught(flagged=0, frauds=1, both=0)
