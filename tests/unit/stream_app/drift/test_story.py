"""The drift stream in words."""

import msgspec

from models.schema.drift_event import DriftEvent, Evidence
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.drift.story import story
from tests.support.statistics_records import feature, statistics

INDENT = " " * 22
ALARM = DriftEvent(
    model_version="m-1",
    as_of=17_700 * DAY_MS,
    day=17_700,
    level="alarm",
    kind="performance",
    feature="amount",
    since=17_690 * DAY_MS,
    window_days=3,
    summary="the model misses more fraud",
    evidence=[Evidence("amount", "at most 1", 1.25, 1_834.0, "misses in 3 days", 9.871, 5.5)],
    incident="abcdef0123456789",
    reference="four weeks",
    table_versions={},
)
REQUEST = RetrainRequest(
    request_id="r",
    cause="drift",
    incident="abcdef0123456789",
    number=2,
    model_version="m-1",
    as_of=17_700 * DAY_MS,
    changed_at=17_690 * DAY_MS,
    frauds_since_change=31,
    reason="the incident goes on",
    actor="watch/drift",
    table_versions={},
)


def test_an_alarm_says_what_since_when_how_far_and_against_what() -> None:
    assert story(ALARM) == [
        "2018-06-18  ALARM     the model misses more fraud",
        f"{INDENT}since 2018-06-08 · over 3 days · model m-1 · incident abcdef01",
        f"{INDENT}- amount, at most 1: 1,834 where 1.25 is usual (misses in 3 days); 9.87 against a limit of 5.5",
        f"{INDENT}compared with four weeks",
    ]


def test_a_warning_names_no_incident() -> None:
    lines = story(msgspec.structs.replace(ALARM, level="warning", incident=None, window_days=1, evidence=[]))
    assert lines[0].startswith("2018-06-18  WARNING   ")
    assert lines[1:] == [f"{INDENT}since 2018-06-08 · over 1 day · model m-1"]


def test_a_request_of_an_incident_counts_and_says_what_there_is_to_learn_from() -> None:
    assert story(REQUEST) == [
        "2018-06-18  RETRAIN   request 2 of incident abcdef01: the incident goes on",
        f"{INDENT}31 matured frauds since 2018-06-08 to learn from · replaces m-1 · asked by watch/drift",
    ]


def test_other_requests_say_who_asked() -> None:
    other = {"incident": None, "changed_at": None, "reason": "new region"}
    by_person = story(msgspec.structs.replace(REQUEST, cause="person", actor="ana", **other))
    assert by_person[0] == "2018-06-18  RETRAIN   asked for by a person: new region"
    assert by_person[1].endswith("replaces m-1 · asked by ana")
    scheduled = story(msgspec.structs.replace(REQUEST, cause="schedule", **other))
    assert scheduled[0] == "2018-06-18  RETRAIN   asked for on schedule: new region"


def test_the_statistics_of_a_day_name_the_features_nearest_to_their_limits_or_beyond() -> None:
    others = (feature("country", 0.01), feature("channel", 0.15), feature("hour_of_day", 0.02))
    farthest = "amount 0.3 of 0.1, channel 0.15 of 0.1, hour_of_day 0.02 of 0.1"
    assert story(statistics(17_699, amount=0.3, others=others)) == [
        f"2018-06-18  COMPUTED  stability index of a week: {farthest}",
        f"{INDENT}model m-1 · 10,000 transactions · 5 features",
    ]


def test_before_a_model_has_seen_a_week_there_is_no_index_to_tell() -> None:
    young = statistics(17_699)
    features = [feature(one.feature, None) for one in young.features]
    first, _ = story(msgspec.structs.replace(young, features=features, window_days=3))
    assert first == "2018-06-18  COMPUTED  no week yet: 3 days of the model"
