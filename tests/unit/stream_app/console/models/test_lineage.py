"""From the drift event to the release and what came after."""

import pytest

from models.families.catalogue import DEFAULT_FAMILY
from models.manifest import Golden, Lineage, Manifest, Thresholds, TrainingData
from stream_app.console.models.lineage import lineage
from tests.unit.stream_app.console.models.audit_of_a_release import (
    HOUR_MS,
    NEW,
    OLD,
    START_MS,
    told_drift,
    told_request,
    whole_release,
)


def manifest(version, request=None):
    return Manifest(
        version=version,
        created_at=0,
        family=DEFAULT_FAMILY,
        parameters={},
        seed=1,
        feature_set="f",
        feature_names=[],
        onnx_sha256="",
        data=TrainingData("", 0, 1, 1, 1),
        code_commit="",
        metrics={},
        thresholds=Thresholds(0.5),
        golden=Golden("", []),
        lineage=Lineage(retrain_request=request),
    )


@pytest.fixture
def records():
    return whole_release()


def test_a_retrained_version_is_told_from_the_alarm_to_the_roll_back(records):
    told = [
        told_drift("warning", 2_000, incident=None),
        told_drift("alarm", 4_000),
        told_request(),
        told_drift("alarm", 9_000),
        told_drift("recovery", 12_000),
    ]
    steps = lineage(manifest(NEW, "q1"), records, told)
    assert [step.what for step in steps] == [
        "Drift alarm: performance",
        "Retrain requested",
        "Gate: undecided, tried again",
        "Gate passed, registered",
        "Retrain ended: offered",
        "Shadow started",
        "Canary started",
        "Promoted",
        f"Rolled back: {OLD} is champion again",
        "Drift recovery: performance",
    ]


def test_each_step_names_the_one_that_caused_it_and_what_all_share(records):
    alarm, request, *verdicts, _, shadow, _, _, _ = lineage(
        manifest(NEW, "q1"), records, [told_drift("alarm", 4_000), told_request()]
    )
    assert request.causation_id == alarm.event_id == "d4000"
    assert {step.causation_id for step in (*verdicts, shadow)} == {request.event_id}
    assert {step.correlation_id for step in (alarm, request, *verdicts, shadow)} == {"i1"}


def test_times_are_the_wall_clock_of_the_audit_and_the_event_time_of_the_stream(records):
    alarm, request, *_ = lineage(manifest(NEW, "q1"), records, [told_drift("alarm", 4_000), told_request()])
    assert (alarm.at_ms, alarm.event_ms, alarm.record) == (None, 4_000, None)
    assert (request.at_ms, request.event_ms, request.record) == (START_MS + HOUR_MS, 5_000, 2)


def test_without_the_stream_the_audit_alone_tells_from_the_request_on(records):
    steps = lineage(manifest(NEW, "q1"), records, [])
    assert steps[0].what == "Retrain requested"
    assert (steps[0].correlation_id, steps[0].causation_id) == ("i1", None)


def test_a_request_that_nobody_has_taken_yet_is_told_from_the_stream():
    (step,) = lineage(manifest(NEW, "q1"), [], [told_request()])
    assert (step.what, step.record, step.causation_id) == ("Retrain requested", None, "d4000")


def test_a_version_that_a_person_promoted_tells_by_whom_and_who_came_after(records):
    steps = lineage(manifest(OLD), records, [told_drift("alarm", 4_000)])
    assert [(step.what, step.actor) for step in steps] == [
        ("Made champion", "ada"),
        (f"Replaced by {NEW}", "release"),
        ("Champion again, by roll-back", "release"),
        ("Automatic promotion frozen", "release"),
    ]


def test_another_version_is_told_nothing_of_it(records):
    assert lineage(manifest("m-other"), records, [told_drift("alarm", 4_000), told_request()]) == []
