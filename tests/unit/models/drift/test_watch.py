"""From closed days to events and requests."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.drift.reference import DriftReference
from models.drift.watch import ClosedDay, DriftFindings, DriftWatch
from models.schema.drift_event import DriftEvent
from models.schema.topics import DAY_MS
from tests.unit.models.drift.small_bank import FIRST_DAY, bank_day

CHANGE = FIRST_DAY + 20
TABLES = {"scores": 7}


def run(reference: DriftReference, until: int, back: int | None = None, missed: int = 12) -> dict[int, DriftFindings]:
    """Close days with a tactic from CHANGE on, until `back`."""
    watch = DriftWatch({"m-1": reference}.get)

    def played(day: int):
        new = day >= CHANGE and (back is None or day < back)
        return bank_day(day, missed_in_channel_3=missed if new else 0)

    found = {}
    for day in range(FIRST_DAY, FIRST_DAY + until):
        matured = [played(day - 7)] if day - 7 >= FIRST_DAY else []
        found[day] = watch.close_day(ClosedDay(day, [played(day)], matured, TABLES))
    return found


@pytest.fixture(scope="module")
def slipped(reference: DriftReference) -> dict[int, DriftFindings]:
    return run(reference, 60)


def test_nothing_is_asked_for_without_a_change(reference: DriftReference) -> None:
    found = run(reference, 40, missed=0)
    assert not [one for day in found.values() for one in (*day.events, *day.requests)]


def test_a_new_tactic_opens_an_incident_once_its_first_labels_are_mature(slipped: dict[int, DriftFindings]) -> None:
    alarms = [(day, event) for day, found in slipped.items() for event in found.events if event.level == "alarm"]
    ((day, alarm),) = alarms
    assert CHANGE + 7 <= day <= CHANGE + 9
    assert alarm.feature == "channel"
    assert alarm.since == CHANGE * DAY_MS
    assert alarm.day == day + 1
    assert "channel" in alarm.summary
    assert alarm.table_versions == TABLES


def test_while_the_incident_is_open_requests_follow_as_frauds_double_or_a_week_passes(
    slipped: dict[int, DriftFindings],
) -> None:
    requests = [(day, request) for day, found in slipped.items() for request in found.requests]
    assert [request.cause for _, request in requests] == ["drift", *["drift follow-up"] * (len(requests) - 1)]
    assert [request.number for _, request in requests] == list(range(1, len(requests) + 1))
    for (earlier, before), (later, after) in pairwise(requests):
        assert later - earlier == 7 or after.frauds_since_change >= 2 * before.frauds_since_change
    assert len({request.request_id for _, request in requests}) == len(requests) > 4


def test_an_incident_ends_when_performance_has_been_back_for_a_week(reference: DriftReference) -> None:
    back = CHANGE + 14
    found = run(reference, 60, back)
    (ended,) = [day for day, one in found.items() for event in one.events if event.level == "recovery"]
    # A week of mature days without the tactic, and then a week in which that lasts; an earlier end would be chance.
    assert back + 7 + 6 <= ended <= back + 7 + 7 + 6
    assert not [request for day, one in found.items() if day > ended for request in one.requests]


def test_the_same_days_give_the_same_events_with_the_same_ids(
    reference: DriftReference, slipped: dict[int, DriftFindings]
) -> None:
    assert run(reference, 60) == slipped


def warnings(reference: DriftReference, until: int, played) -> list[tuple[int, DriftEvent]]:
    """Close days without labels."""
    watch = DriftWatch({"m-1": reference}.get)
    days = range(FIRST_DAY, FIRST_DAY + until)
    return [(day, event) for day in days for event in watch.close_day(ClosedDay(day, [played(day)], [], TABLES)).events]


def test_scores_that_promise_less_warn_before_any_label(reference: DriftReference) -> None:
    found = warnings(reference, 30, lambda day: bank_day(day, score_factor=0.5 if day >= CHANGE else 1.0))
    estimates = [(day, event) for day, event in found if event.kind == "estimate"]
    day, first = estimates[0]
    assert CHANGE <= day < CHANGE + 7
    assert first.level == "warning"
    (evidence,) = first.evidence
    assert evidence.observed < evidence.expected - evidence.limit


def test_late_scores_warn_once_a_week_while_they_last(reference: DriftReference) -> None:
    def played(day: int):
        slow = np.where(np.arange(1500) % 50 == 0, 4000 if day >= CHANGE else 900, 20)
        return replace(bank_day(day), latency_ms=slow.astype(np.float32))

    ((day, warning),) = warnings(reference, 30, played)
    assert day == CHANGE
    assert (warning.level, warning.kind, warning.feature) == ("warning", "latency", "latency")
    assert "half of the day's within 20 ms, 99 of 100 within 4,000 ms" in warning.summary


def test_a_version_without_a_reference_is_not_watched() -> None:
    watch = DriftWatch(lambda _: None)
    rows = bank_day(FIRST_DAY, missed_in_channel_3=200)
    assert watch.close_day(ClosedDay(FIRST_DAY, [rows], [rows])) == DriftFindings([], [])


def test_what_an_earlier_champion_missed_is_no_reason_to_replace_the_present_one(reference: DriftReference) -> None:
    watch = DriftWatch({"m-1": reference, "m-2": reference}.get)
    found = [
        watch.close_day(
            ClosedDay(
                day,
                [bank_day(day, version="m-2")],
                [bank_day(day - 7, version="m-1", missed_in_channel_3=30)],
            )
        )
        for day in range(FIRST_DAY, FIRST_DAY + 5)
    ]
    assert not [request for one in found for request in one.requests]
