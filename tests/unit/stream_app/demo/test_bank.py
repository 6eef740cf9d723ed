"""The traffic of a demo continues its past."""

import numpy as np
import pytest

from stream_app.demo.bank import Bank
from stream_app.demo.plan import DemoPlan, PlanError

PLAN = DemoPlan(events=150, burst=60, customers=50, terminals=100, transactions_per_day=100, warm_up_days=3)


def test_new_days_follow_the_days_of_the_past_and_are_cut_to_what_is_asked() -> None:
    traffic = Bank(PLAN).traffic()
    assert [day.day for day in traffic.warm_up] == [77, 78, 79]
    assert traffic.live[0].day == PLAN.history_days
    assert traffic.live_events == PLAN.events + PLAN.burst


def test_the_same_plan_is_the_same_traffic() -> None:
    once, again = (Bank(PLAN).traffic() for _ in range(2))
    assert [day.encoded() for day in once.live] == [day.encoded() for day in again.live]


def test_the_past_ends_with_the_days_that_flow_first() -> None:
    bank = Bank(PLAN)
    past, warm_up = bank.past(), bank.traffic().warm_up
    flowing = np.concatenate([day.event_time for day in warm_up])
    assert past.columns.event_time[-len(flowing) :].tolist() == flowing.tolist()


def test_the_truth_names_the_tactic_of_each_new_fraud_and_of_nothing_else() -> None:
    traffic = Bank(PLAN).traffic()
    assert len(traffic.frauds()) == sum(int(day.is_fraud.sum()) for day in traffic.live)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"events": 0}, "must be above 0"),
        ({"rate": 0.0}, "must be above 0"),
        ({"history_days": 40}, "give 59 or more"),
        ({"warm_up_days": 81}, "give 1 to 80"),
    ],
)
def test_a_plan_that_could_show_nothing_is_refused(settings: dict[str, float], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        DemoPlan(**settings)  # type: ignore[arg-type]  # one wrong field each
