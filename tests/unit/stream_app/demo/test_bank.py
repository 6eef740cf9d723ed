"""The traffic of a demo continues its past."""

import itertools

import msgspec
import numpy as np
import pytest

from stream_app.demo.bank import Bank
from stream_app.demo.plan import MATURITY_DAYS, DemoPlan, PlanError

PLAN = DemoPlan(
    events=150, release=20, bad=10, burst=60, customers=50, terminals=100, transactions_per_day=100, warm_up_days=3
)


def test_new_days_follow_the_days_of_the_past_and_are_cut_to_what_is_asked() -> None:
    traffic = Bank(PLAN).traffic()
    assert [day.day for day in traffic.warm_up] == [77, 78, 79]
    assert traffic.live[0].day == PLAN.history_days
    assert traffic.live_events == PLAN.events + PLAN.release + PLAN.bad + PLAN.burst


def test_the_same_plan_is_the_same_traffic() -> None:
    once, again = (Bank(PLAN).traffic() for _ in range(2))
    assert [day.encoded() for day in once.live] == [day.encoded() for day in again.live]


def test_the_past_ends_with_the_days_that_flow_first() -> None:
    bank = Bank(PLAN)
    past, warm_up = bank.past(), bank.traffic().warm_up
    flowing = np.concatenate([day.event_time for day in warm_up])
    assert past.columns.event_time[-len(flowing) :].tolist() == flowing.tolist()


def test_the_truth_names_tactic_and_day_of_each_fraud_and_of_nothing_else() -> None:
    traffic = Bank(PLAN).traffic()
    days = [*traffic.warm_up, *traffic.live]
    assert len(traffic.frauds()) == sum(int(day.is_fraud.sum()) for day in days)
    assert {fraud.day for fraud in traffic.frauds().values()} <= {day.day for day in days}


def test_the_new_tactic_begins_on_its_day_and_is_unknown_to_the_past() -> None:
    plan = DemoPlan(events=500, burst=60, customers=50, terminals=100, transactions_per_day=100, tactic_share=0.2)
    traffic = Bank(plan).traffic()
    days = {
        day.day for day in [*traffic.warm_up, *traffic.live] for tactic in day.tactic if tactic == plan.tactic.title
    }
    assert days
    assert min(days) == plan.history_days + plan.tactic_day


def test_events_before_a_new_day_are_those_of_the_days_before_it() -> None:
    traffic = Bank(PLAN).traffic()
    first = traffic.live[0]
    assert traffic.events_before(first.day) == 0
    assert traffic.events_before(first.day + 1) == len(first)


@pytest.mark.parametrize(("rest", "whole_days"), [(5, 0), (50, 1)])
def test_a_day_is_over_when_enough_of_the_next_one_has_come(rest: int, whole_days: int) -> None:
    traffic = Bank(PLAN).traffic()
    first = len(traffic.live[0])
    assert traffic.last_whole_day(first + rest) == PLAN.history_days - 1 + whole_days


def test_the_default_plan_gives_the_new_tactic_time_to_be_known() -> None:
    plan = DemoPlan()
    assert plan.events / plan.transactions_per_day > plan.tactic_day + MATURITY_DAYS + 3
    assert plan.release > 2 * plan.stage + 3 * plan.transactions_per_day


def test_what_the_retrainer_is_told_keeps_to_the_plan() -> None:
    told = msgspec.json.decode(PLAN.retraining())
    assert [recipe["parameters"] for recipe in told["retrain"]["incident"]] == [PLAN.refit]
    assert told["release"]["shadow_transactions"] == PLAN.stage


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"events": 0}, "must be above 0"),
        ({"bad": 0}, "must be above 0"),
        ({"rate": 0.0}, "must be above 0"),
        ({"history_days": 40}, "give 59 or more"),
        ({"warm_up_days": 81}, "give 1 to 80"),
    ],
)
def test_a_plan_that_could_show_nothing_is_refused(settings: dict[str, float], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        DemoPlan(**settings)  # type: ignore[arg-type]  # one wrong field each


def test_behind_the_days_that_flow_come_others_without_end() -> None:
    bank = Bank(PLAN)
    traffic = bank.traffic()
    further = [day.day for day in itertools.islice(bank.days_behind(traffic), 3)]
    last = traffic.live[-1].day
    assert further == [last + 1, last + 2, last + 3]
