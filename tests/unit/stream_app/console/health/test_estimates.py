"""What scores promise of days whose labels are not there."""

import pytest

from stream_app.console.health.accuracy import weeks_of
from stream_app.console.health.estimates import estimates_of
from stream_app.console.health.maturity import stretches_of
from stream_app.console.health.records import HealthRecords
from tests.support.health_story import ms, story
from tests.support.performance_records import FIRST_DAY, record
from tests.support.statistics_records import statistics


def test_only_days_behind_the_last_measured_week_are_estimated() -> None:
    found = estimates_of(story())
    assert [one.at_ms for one in found] == [ms(day) for day in range(64, 71)]


def test_a_week_adds_up_what_each_version_expects_of_its_days() -> None:
    days = [statistics(FIRST_DAY + day, frauds=100.0, caught=80.0) for day in range(6)]
    shared = [
        statistics(FIRST_DAY + 6, version="m-2", rows=8_000, frauds=50.0, caught=10.0, average_precision=0.5),
        statistics(FIRST_DAY + 6, rows=2_000, frauds=50.0, caught=40.0, average_precision=0.9),
    ]
    last = estimates_of(HealthRecords(statistics=(*days, *shared)))[-1]
    assert last.figures["recall"] == pytest.approx((6 * 80 + 50) / 700)
    assert last.figures["precision"] == pytest.approx((6 * 80 + 50) / 700)  # a hundredth of the rows is flagged
    assert last.figures["average_precision"] == 0.5  # that of the version with most transactions
    assert last.alert_rate == pytest.approx(0.01)


def test_a_week_does_not_reach_over_days_that_are_missing() -> None:
    days = (statistics(FIRST_DAY, caught=0.0), statistics(FIRST_DAY + 7, frauds=50.0, caught=40.0))
    assert estimates_of(HealthRecords(statistics=days))[-1].figures["recall"] == pytest.approx(0.8)


def test_without_statistics_nothing_is_estimated() -> None:
    assert estimates_of(HealthRecords(performance=(record(0),))) == []


def test_the_younger_a_day_the_less_of_its_labels_is_known() -> None:
    records = story()
    stretches = stretches_of(records, weeks_of(records))
    measured = [one for one in stretches if one.measured]
    young = [one for one in stretches if not one.measured]
    assert [(one.from_ms, one.to_ms) for one in measured] == [(ms(7 * at), ms(7 * at + 7)) for at in range(9)]
    assert {one.known for one in measured} == {0.9}
    assert [one.from_ms for one in young] == [ms(day) for day in range(63, 70)]
    assert [one.known for one in young] == sorted((one.known for one in young), reverse=True)
    assert 0 < young[-1].known < 0.3 < young[0].known < 0.9
