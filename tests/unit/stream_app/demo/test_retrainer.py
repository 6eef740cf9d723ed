"""What is told of the retrainer."""

from typing import Any, cast

import msgspec
import pytest

from models.schema.model_event import ModelEvent
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.demo.retrainer import RetrainerSeen
from stream_app.retrain.job import Job, RetrainState
from stream_app.retrain.report import Outcome, RetrainReport
from tests.unit.stream_app.demo.model_events import model_event

REQUEST = RetrainRequest(
    request_id="r-1",
    cause="drift",
    incident="i-1",
    number=1,
    model_version="m-1",
    as_of=20_179 * DAY_MS,
    changed_at=20_170 * DAY_MS,
    frauds_since_change=49,
    reason="the model misses more fraud",
    actor="watch/drift",
    table_versions={"scores": 7},
)


class Store:
    """A retrainer's store that holds one request."""

    def __init__(self, step: str = "pinned", outcome: Outcome = "under way") -> None:
        self.job = Job(request=REQUEST, offset=0, key=None, value=b"", step=cast("Any", step))
        self.outcome: Outcome = outcome

    def read(self) -> RetrainState:
        return RetrainState(jobs=(self.job,))

    def report(self, request_id: str) -> RetrainReport | None:
        if request_id != REQUEST.request_id:
            return None
        return RetrainReport(
            request=REQUEST,
            outcome=self.outcome,
            number=1,
            as_of=REQUEST.as_of,
            champion="m-1",
            table_versions=REQUEST.table_versions,
        )


def seen(store: Store) -> RetrainerSeen:
    return RetrainerSeen(cast("Any", store))


def test_a_training_is_told_once_with_what_it_learns_from() -> None:
    retrainer = seen(Store())
    (told,) = retrainer.new()
    assert "labels known on 2025-04-01, pinned at version 7 of the scores' table, to be held against m-1" in told
    assert retrainer.new() == []


def test_a_request_that_waits_is_not_told_as_a_training() -> None:
    assert seen(Store(step="taken")).new() == []


@pytest.mark.parametrize("outcome", ["offered", "rejected", "waiting"])
def test_a_request_is_answered_when_nothing_more_comes_of_it_now(outcome: Outcome) -> None:
    answered = seen(Store(outcome=outcome)).answered([REQUEST])
    assert answered is not None
    assert [report.outcome for report in answered] == [outcome]


def test_a_request_under_way_or_not_yet_taken_is_not_answered() -> None:
    assert seen(Store()).answered([REQUEST]) is None
    assert seen(Store(outcome="offered")).answered([msgspec.structs.replace(REQUEST, request_id="r-2")]) is None


def test_an_event_that_no_gate_has_judged_has_no_details() -> None:
    event: ModelEvent = msgspec.structs.replace(model_event("promoted"), request_id="r-1")
    assert seen(Store()).details(event) == []
