"""Labels that arrive late."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from models.schema.label import Label
from models.schema.topics import TopicNames
from producers.column_mapping import TRUTH
from producers.label_delays import DAY_MS, DEFAULT_SOURCES, HOUR_MS, DelayDistribution, LabelDelayError, LabelDelays
from producers.labels import parse_sources, read_labels
from producers.late_labels import LateLabels
from producers.transaction_clock import SecondLargest
from tests.unit.producers.fakes import FakeSink

MIDNIGHT_MS = 1_525_132_800_000
TOPICS = TopicNames()


class ScriptedClock:
    """Event times one after the other, then silence."""

    def __init__(self, *event_times: int) -> None:
        self.event_times: Iterator[int] = iter(event_times)

    def advance(self) -> int:
        return next(self.event_times, 0)


def label(name: str, labelled_at: int) -> Label:
    return Label(name, f"c-{name}", "t1", MIDNIGHT_MS, True, "analyst", labelled_at)


def names(sink: FakeSink) -> list[str]:
    return [one["transaction_id"] for one in sink.of(TOPICS.labels)]


def test_the_same_seed_draws_the_same() -> None:
    def drawn(seed: int) -> tuple[list[str], list[int]]:
        sources, delays_ms = LabelDelays(seed).draw(50)
        return list(sources), delays_ms.tolist()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_each_source_keeps_its_share_and_its_limits() -> None:
    sources, delays_ms = LabelDelays(seed=3).draw(20_000)
    for source, distribution in DEFAULT_SOURCES.items():
        own = delays_ms[np.array(sources) == source]
        assert len(own) / 20_000 == pytest.approx(distribution.share, abs=0.02)
        assert own.min() >= distribution.shortest_ms
        assert own.max() <= distribution.longest_ms
        assert own.mean() == pytest.approx(distribution.mean_ms, rel=0.15)


def test_chargebacks_take_30_to_120_days_and_analysts_hours() -> None:
    chargeback, analyst = DEFAULT_SOURCES["chargeback"], DEFAULT_SOURCES["analyst"]
    assert (chargeback.shortest_ms, chargeback.longest_ms) == (30 * DAY_MS, 120 * DAY_MS)
    assert analyst.mean_ms < 24 * HOUR_MS


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0.1, 9))
def test_no_delay_lies_outside_its_limits(low: int, more: int, most: int, shape: float) -> None:
    distribution = DelayDistribution(1, low, low + more, low + more + most, shape)
    drawn = distribution.draw(100, np.random.default_rng(1))
    assert low <= drawn.min()
    assert drawn.max() <= low + more + most


@pytest.mark.parametrize("limits", [(5, 4, 6), (5, 6, 5), (-1, 4, 6)])
def test_limits_out_of_order_are_refused(limits: tuple[int, int, int]) -> None:
    with pytest.raises(LabelDelayError, match="cannot have the mean"):
        DelayDistribution(1, *limits)


def test_delays_and_shares_can_be_given_as_text() -> None:
    sources = parse_sources(["chargeback=40d..50d", "analyst=90m"], ["chargeback=1", "analyst=3"])
    assert (sources["chargeback"].shortest_ms, sources["chargeback"].longest_ms) == (40 * DAY_MS, 50 * DAY_MS)
    assert sources["customer_report"].share == 0
    drawn, delays_ms = LabelDelays(1, sources).draw(1000)
    assert set(drawn) == {"chargeback", "analyst"}
    assert set(delays_ms[np.array(drawn) == "analyst"].tolist()) == {90 * 60_000}


@pytest.mark.parametrize(
    ("delays", "shares", "message"),
    [
        (["rumour=5d"], [], "'rumour=5d' is not SOURCE=VALUE with a source of: chargeback"),
        (["analyst"], [], "--delay 'analyst'"),
        (["analyst=soon"], [], "'soon' cannot be read; write 8h"),
        (["analyst=5d..1d"], [], "cannot have the mean"),
        ([], ["analyst=much"], "'much' is no number"),
        ([], ["analyst=-1"], "must not be negative"),
    ],
)
def test_text_that_cannot_be_read_is_named(delays: list[str], shares: list[str], message: str) -> None:
    with pytest.raises(LabelDelayError, match=message):
        parse_sources(delays, shares)


def test_without_any_share_there_is_nobody_to_report() -> None:
    with pytest.raises(LabelDelayError, match="no label source has a share"):
        LabelDelays(1, parse_sources([], ["analyst=0"]))


def test_each_fraud_of_a_truth_file_gets_a_label(tmp_path: Path) -> None:
    table = pa.table(
        {
            "transaction_id": ["a", "b", "c"],
            "event_time": [MIDNIGHT_MS, MIDNIGHT_MS + 1, MIDNIGHT_MS + 2],
            "card_id": ["c1", "c2", "c3"],
            "terminal_id": ["t1", "t2", "t3"],
            "is_fraud": [False, True, True],
            "tactic": [None, "card testing", None],
        }
    )
    pq.write_table(table, tmp_path / "truth.parquet")
    delays = LabelDelays(1, parse_sources(["analyst=1h"], ["analyst=1"]))
    labels = read_labels(tmp_path / "truth.parquet", TRUTH, delays)
    assert labels[0] == Label("b", "c2", "t2", MIDNIGHT_MS + 1, True, "analyst", MIDNIGHT_MS + 1 + HOUR_MS)
    assert len(labels) == 2


def test_labels_are_sent_as_event_time_reaches_them() -> None:
    sink = FakeSink()
    late = LateLabels([label("b", MIDNIGHT_MS + 20), label("a", MIDNIGHT_MS + 10)], sink, TOPICS)
    clock = ScriptedClock(MIDNIGHT_MS + 9, MIDNIGHT_MS + 10, MIDNIGHT_MS + 10, MIDNIGHT_MS + 25)
    late.follow(clock)
    assert names(sink) == ["a", "b"]
    assert [key for _, key, _ in sink.records] == [b"c-a", b"c-b"]
    assert sink.flushes == 1


def test_following_ends_when_nothing_comes_any_more() -> None:
    sink, seconds = FakeSink(), iter(range(1000))
    late = LateLabels([label("a", MIDNIGHT_MS + 10), label("b", MIDNIGHT_MS + 20)], sink, TOPICS)
    late.follow(ScriptedClock(MIDNIGHT_MS + 15), idle_s=5, clock_s=lambda: float(next(seconds)))
    assert names(sink) == ["a"]
    assert late.waiting == 1


def test_all_labels_can_be_sent_at_once_in_the_order_in_which_they_become_known() -> None:
    sink = FakeSink()
    late = LateLabels([label(str(day), MIDNIGHT_MS + day * DAY_MS) for day in (90, 3, 120)], sink, TOPICS)
    late.send_all()
    assert names(sink) == ["3", "90", "120"]
    assert (late.sent, late.waiting) == (3, 0)


def test_one_transaction_far_ahead_does_not_move_the_clock() -> None:
    clock = SecondLargest()
    assert clock.add([5]) == 0
    assert clock.add([7, 6]) == 6
    assert clock.add([999]) == 7
    assert clock.add([8, 9]) == 9
    assert clock.add([]) == 9
