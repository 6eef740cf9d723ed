"""Past transactions, sent in steps."""

import numpy as np
import pytest

from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from models.schema.wire import encode
from producers.history import HistoryBatch
from producers.pace import EventsPerSecond, EventTimeSpeed
from producers.replay import STEP_MS, LabelRule, Replay, ReplayError
from tests.unit.producers.fakes import FakeClock, FakeSink

HOUR_MS = 3_600_000
MIDNIGHT_MS = 1_525_132_800_000
TOPICS = TopicNames("x.")


class FakeLockstep:
    """Notes what had been sent when each step was closed."""

    def __init__(self, sink: FakeSink) -> None:
        self.sink = sink
        self.closed: list[tuple[int, int, int]] = []

    def require_worker(self) -> None:
        pass

    def close_step(self, as_of: int) -> None:
        self.closed.append((as_of, len(self.sink.of(TOPICS.transactions)), len(self.sink.of(TOPICS.labels))))


def batch(*hours: float, frauds: tuple[float, ...] = ()) -> HistoryBatch:
    transactions = [transaction(hour) for hour in hours]
    return HistoryBatch(
        np.array([one.event_time for one in transactions], np.int64),
        [one.card_id.encode() for one in transactions],
        [encode(one) for one in transactions],
        [transaction(hour) for hour in frauds],
    )


def transaction(hour: float) -> Transaction:
    return Transaction(f"tx-{hour}", MIDNIGHT_MS + round(hour * HOUR_MS), "c1", "t1", 5, "EUR")


def sent_hours(sink: FakeSink) -> list[float]:
    return [(one["event_time"] - MIDNIGHT_MS) / HOUR_MS for one in sink.of(TOPICS.transactions)]


def test_every_transaction_is_sent_in_order_keyed_by_its_card() -> None:
    sink = FakeSink()
    Replay([batch(1, 2), batch(), batch(3, 30)], sink, TOPICS).run()
    assert sent_hours(sink) == [1, 2, 3, 30]
    assert {key for _, key, _ in sink.records} == {b"c1"}
    assert sink.flushes == 1


def test_steps_end_every_six_hours_of_the_day_also_where_nothing_happened() -> None:
    steps = list(Replay([batch(1, 5, 6, 7), batch(20)], FakeSink(), TOPICS).steps())
    assert [(step.as_of - MIDNIGHT_MS) // HOUR_MS for step in steps] == [6, 12, 18, 24]
    assert [step.transactions for step in steps] == [2, 4, 4, 5]


def test_between_two_steps_nothing_of_the_next_has_been_sent() -> None:
    sink = FakeSink()
    for step in Replay([batch(1, 5, 6, 7, 13)], sink, TOPICS).steps():
        assert all(MIDNIGHT_MS + hour * HOUR_MS < step.as_of for hour in sent_hours(sink))


def test_steps_go_on_to_the_end_of_the_range() -> None:
    replay = Replay([batch(1)], FakeSink(), TOPICS, ends_at=MIDNIGHT_MS + 24 * HOUR_MS)
    assert [(step.as_of - MIDNIGHT_MS) // HOUR_MS for step in replay.steps()] == [6, 12, 18, 24]


def test_a_label_is_sent_when_it_is_due_and_not_before() -> None:
    sink = FakeSink()
    rule = LabelRule(delay_ms=8 * HOUR_MS, source="chargeback")
    counts = [
        (step.transactions, step.labels)
        for step in Replay([batch(1, 4, 9, 11, 12, 30, frauds=(1, 4, 30))], sink, TOPICS, labels=rule).steps()
    ]
    # Of 1 h due at 9 h, of 4 h due at 12 h, of 30 h never.
    assert counts == [(2, 0), (4, 2), (5, 2), (5, 2), (5, 2), (6, 2)]
    first, second = sink.of(TOPICS.labels)
    assert first["transaction_id"] == "tx-1"
    assert first["is_fraud"] is True
    assert first["label_source"] == "chargeback"
    assert second["labelled_at"] == MIDNIGHT_MS + 12 * HOUR_MS


def test_labels_that_an_earlier_replay_has_sent_are_left_out() -> None:
    sink = FakeSink()
    rule = LabelRule(delay_ms=24 * HOUR_MS, source="analyst", starts_at=MIDNIGHT_MS + 24 * HOUR_MS)
    replay = Replay([batch(25, 49, frauds=(-1, 0, 20, 24))], sink, TOPICS, labels=rule)
    replay.run()
    assert [label["transaction_id"] for label in sink.of(TOPICS.labels)] == ["tx-20", "tx-24"]
    assert replay.labels_waiting == 0


def test_in_lockstep_each_step_is_closed_after_its_transactions_and_labels() -> None:
    sink = FakeSink()
    lockstep = FakeLockstep(sink)
    rule = LabelRule(delay_ms=6 * HOUR_MS, source="analyst")
    Replay([batch(1, 5), batch(6, 13, frauds=(6,))], sink, TOPICS, labels=rule, lockstep=lockstep).run()  # type: ignore[arg-type]
    assert [((as_of - MIDNIGHT_MS) // HOUR_MS, rows, labels) for as_of, rows, labels in lockstep.closed] == [
        (6, 2, 0),
        (12, 3, 1),
        (18, 4, 1),
    ]


def test_in_lockstep_a_transaction_of_a_closed_step_is_an_error() -> None:
    sink = FakeSink()
    replay = Replay([batch(1, 7, 5)], sink, TOPICS, lockstep=FakeLockstep(sink))  # type: ignore[arg-type]
    with pytest.raises(ReplayError, match=r"2018-05-01T05:00Z follows one of 2018-05-01T06:00Z.*--sort"):
        replay.run()


def test_without_lockstep_late_transactions_are_sent_where_they_stand() -> None:
    sink = FakeSink()
    Replay([batch(1, 7, 5, 8)], sink, TOPICS).run()
    assert sent_hours(sink) == [1, 7, 5, 8]


def test_a_rate_is_kept() -> None:
    clock, sink = FakeClock(), FakeSink()
    replay = Replay([batch(*range(101))], sink, TOPICS, pace=EventsPerSecond(50), clock_s=clock, sleep=clock.sleep)
    replay.run()
    assert clock.now_s - 1000 == pytest.approx(2, abs=0.02)
    assert len(sent_hours(sink)) == 101


def test_event_time_goes_at_the_speed_asked_for() -> None:
    clock, sink = FakeClock(), FakeSink()
    Replay(
        [batch(0, 1, 2), batch(1.5, 4)], sink, TOPICS, pace=EventTimeSpeed(3600), clock_s=clock, sleep=clock.sleep
    ).run()
    assert clock.now_s - 1000 == pytest.approx(4, abs=0.02)
    assert sent_hours(sink) == [0, 1, 2, 1.5, 4]


def test_nothing_to_send_is_no_error() -> None:
    sink = FakeSink()
    assert list(Replay([batch()], sink, TOPICS).steps()) == []
    assert STEP_MS == 6 * HOUR_MS
