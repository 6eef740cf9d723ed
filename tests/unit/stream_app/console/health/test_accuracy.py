"""Weeks as they are known now."""

import pytest

from stream_app.console.health.accuracy import champions_of, weeks_of
from stream_app.console.health.records import HealthRecords
from tests.support.health_story import ms, story
from tests.support.performance_records import record


def test_the_newest_revision_counts_and_what_was_said_first_is_kept() -> None:
    records = (record(0, recall=0.80, state="restated", revision=2), record(0, recall=0.82))
    (week,) = weeks_of(HealthRecords(performance=records))
    assert (week.value("recall"), week.first["recall"]) == (0.80, 0.82)
    assert (week.state, week.revision) == ("restated", 2)
    assert "value_detection_rate" not in week.first  # nothing has changed in it


def test_a_provisional_week_was_not_published_first() -> None:
    (week,) = weeks_of(HealthRecords(performance=(record(0, recall=0.6, state="provisional"), record(0, revision=2))))
    assert week.first == {}


def test_the_line_goes_through_one_version_a_week_the_one_that_decided_on_most() -> None:
    weeks = weeks_of(story())
    assert [(week.version, week.champion) for week in weeks if week.from_ms == ms(42)] == [
        ("m-2", True),
        ("m-1", False),
    ]
    line = champions_of(weeks)
    assert [week.from_ms for week in line] == [ms(7 * number) for number in range(9)]
    assert [week.version for week in line] == ["m-1"] * 6 + ["m-2"] * 3


def test_a_later_revision_of_one_version_does_not_make_it_champion() -> None:
    shared = HealthRecords(performance=(*story().performance, record(6, recall=0.52, state="restated", revision=2)))
    restated = [week for week in weeks_of(shared) if week.from_ms == ms(42)]
    assert {week.version for week in restated} == {"m-1", "m-2"}
    assert sum(week.champion for week in restated) == 1


def test_figures_come_with_their_intervals() -> None:
    (week,) = weeks_of(HealthRecords(performance=(record(0, recall=0.82),)))
    recall = week.figures["recall"]
    assert (recall.value, recall.low, recall.high) == pytest.approx((0.82, 0.77, 0.87))
