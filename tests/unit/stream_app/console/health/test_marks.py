"""Moments on the axis of time, and incidents."""

from dataclasses import replace

import msgspec

from stream_app.console.health.marks import incidents_of, marks_of
from stream_app.console.health.records import HealthRecords
from tests.support.health_story import ALARM, CHANGED, ENDED, INCIDENT, LAST, PROMOTED, event, move, ms, request, story


def test_every_moment_has_a_letter_and_a_number_in_the_order_of_time() -> None:
    labels = [(mark.label, mark.at_ms) for mark in marks_of(story())]
    days = [("W1", 40), ("A1", 43), ("R1", 43), ("M1", 44), ("R2", 45), ("R3", 49), ("E1", 64)]
    assert labels == [(label, ms(day)) for label, day in days]


def test_a_request_of_an_incident_says_what_can_be_learned_and_another_one_why_it_was_asked() -> None:
    texts = {mark.label: mark.text for mark in marks_of(story())}
    assert texts["R2"] == "number 2 of the incident, 80 matured frauds since 23 July 2018 to learn from"
    asked = msgspec.structs.replace(request(50, 1), cause="person", incident=None, changed_at=None, reason="new shops")
    (mark,) = marks_of(HealthRecords(requests=(asked,)))
    assert mark.text == "new shops"


def test_what_the_gate_says_is_no_move_of_the_champion() -> None:
    assert [mark.text for mark in marks_of(story()) if mark.kind == "swap"] == [
        "promoted m-2 in place of m-1: every check has passed"
    ]


def test_a_move_before_any_row_was_seen_has_no_place_in_event_time() -> None:
    first = msgspec.structs.replace(move(0, "promoted", "m-1", before=None), as_of=0)
    assert marks_of(HealthRecords(models=(first,))) == []


def test_a_swap_that_no_event_tells_of_is_seen_in_the_days() -> None:
    records = replace(story(), models=())
    assert [(mark.label, mark.at_ms, mark.text) for mark in marks_of(records) if mark.kind == "swap"] == [
        ("M1", ms(PROMOTED), "m-2 decides on most transactions from here on")
    ]


def test_a_roll_back_names_both_models() -> None:
    back = move(50, "rolled back", "m-1", before="m-2", cause="alert rate: too many")
    (mark,) = marks_of(HealthRecords(models=(back,)))
    assert mark.text == "rolled back to m-1 in place of m-2: alert rate: too many"


def test_an_incident_lasts_from_the_change_to_its_recovery() -> None:
    (incident,) = incidents_of(story())
    assert (incident.id, incident.changed_ms, incident.ended_ms) == (INCIDENT, ms(CHANGED), ms(ENDED))
    (still,) = incidents_of(story(ALARM + 5))
    assert still.ended_ms is None


def test_incidents_come_in_the_order_of_their_alarms_whatever_their_ids() -> None:
    later = event(LAST, "alarm", "channel", incident="a-later-one")
    records = story()
    found = incidents_of(replace(records, events=(later, *records.events)))
    assert [incident.id for incident in found] == [INCIDENT, "a-later-one"]


def test_a_recovery_without_its_alarm_is_no_incident() -> None:
    assert incidents_of(HealthRecords(events=(event(ENDED, "recovery", incident="older"),))) == []
