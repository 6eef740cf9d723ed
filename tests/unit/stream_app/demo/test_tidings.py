"""What a person is told of the watch's findings."""

from typing import get_args

import pytest

from models.schema.drift_event import DriftEvent, DriftLevel
from models.schema.model_event import ModelEventKind
from models.schema.retrain_request import RetrainRequest
from stream_app.demo.tidings import tidings
from tests.support.performance_records import record
from tests.unit.stream_app.demo.model_events import model_event

APRIL_1_MS = 1_743_465_600_000
MARCH_24_MS = 1_742_774_400_000


@pytest.mark.parametrize(("level", "said"), [("warning", "drift warning of"), ("alarm", "DRIFT ALARM of")])
def test_a_drift_event_is_told_with_level_date_and_sentence(level: DriftLevel, said: str) -> None:
    event = DriftEvent(
        model_version="m-1",
        as_of=APRIL_1_MS,
        day=20_179,
        level=level,
        kind="performance",
        feature="channel",
        since=MARCH_24_MS,
        window_days=1,
        summary="the model misses more fraud",
        evidence=[],
        incident=None,
        reference="4 weeks",
        table_versions={},
    )
    assert tidings(event) == f"{said} 2025-04-01: the model misses more fraud"


@pytest.mark.parametrize(("number", "said"), [(1, "a retrain is asked for, "), (2, "a retrain is asked for again, ")])
def test_a_request_is_told_with_what_can_be_learned_from(number: int, said: str) -> None:
    request = RetrainRequest(
        request_id="r-1",
        cause="drift",
        incident="i-1",
        number=number,
        model_version="m-1",
        as_of=APRIL_1_MS,
        changed_at=MARCH_24_MS,
        frauds_since_change=49,
        reason="the model misses more fraud",
        actor="watch/drift",
        table_versions={},
    )
    assert tidings(request) == f"{said}2025-04-01: 49 known frauds since 2025-03-24 can be learned from"


def test_a_week_is_told_when_it_has_matured_and_not_when_it_is_restated() -> None:
    told = tidings(record(0, recall=0.6))
    assert told is not None
    assert "m-1 found 60% of 560 frauds, 75% of what it flagged was fraud" in told
    assert tidings(record(0, state="restated", revision=2)) is None


def test_a_figure_that_is_not_defined_is_a_question_mark() -> None:
    assert "found ? of" in str(tidings(record(0, recall=None)))


@pytest.mark.parametrize("kind", get_args(ModelEventKind))
def test_whatever_becomes_of_a_model_is_told(kind: ModelEventKind) -> None:
    assert tidings(model_event(kind))


def test_a_roll_back_is_told_with_both_models_and_its_cause() -> None:
    assert tidings(model_event("rolled back")) == "ROLLED BACK from m-2 to m-1: upside down"
