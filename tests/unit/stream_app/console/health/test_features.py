"""Drift of each feature, and how it is drawn."""

import re

import pytest

from stream_app.console.health.features import SHOWN_DAYS, FeatureDrift, features_of
from stream_app.console.health.marks import marks_of
from stream_app.console.health.records import HealthRecords
from stream_app.console.health.small_multiple import HEIGHT, WIDTH, small_multiple
from tests.support.health_story import CHANGED, PROMOTED, ms, story
from tests.support.performance_records import FIRST_DAY
from tests.support.statistics_records import feature, statistics


def drift(records: HealthRecords, name: str = "amount") -> FeatureDrift:
    return next(one for one in features_of(records) if one.name == name)


def records_of(*indices: float | None, **given) -> HealthRecords:
    return HealthRecords(
        statistics=tuple(statistics(FIRST_DAY + at, amount=one, **given) for at, one in enumerate(indices))
    )


def points(path: str) -> list[list[tuple[float, float]]]:
    runs = [[one.split() for one in run.split("L")] for run in re.findall(r"M([^M]*)", path)]
    return [[(float(x), float(y)) for x, y in run] for run in runs]


def test_the_feature_farthest_beyond_its_limit_comes_first() -> None:
    others = (feature("country", 0.3, 0.2), feature("channel", 0.09, 0.1), feature("hour_of_day", 0.0, missing=0.05))
    found = features_of(HealthRecords(statistics=(statistics(FIRST_DAY, amount=0.04, others=others),)))
    assert [one.name for one in found] == ["hour_of_day", "country", "channel", "amount", "score"]
    assert [one.beyond for one in found] == [True, True, False, False, False]
    assert [one.over for one in found] == pytest.approx([2.5, 1.5, 0.9, 0.4, 0.1])


def test_a_day_beyond_the_limit_and_back_does_not_count_into_since_when() -> None:
    assert drift(records_of(0.02, 0.3, 0.02, 0.15, 0.2)).since_ms == ms(3)
    assert drift(records_of(0.02, 0.3, 0.02)).since_ms is None


def test_it_says_where_a_feature_stands() -> None:
    moved = drift(story(CHANGED + 6))
    assert moved.sentence == "stability index 0.3, beyond the limit of 0.1 on 29 July 2018, beyond since 24 July 2018"
    assert moved.words == "amount in the reporting currency"


def test_gaps_and_values_never_seen_are_said_as_well() -> None:
    strange = feature("country", 0.01, missing=0.124, unseen=150)
    found = drift(HealthRecords(statistics=(statistics(FIRST_DAY, others=(strange,)),)), "country")
    assert "missing in 12.4 % of the day, limit 2.0 %" in found.sentence
    assert "150 values never seen before, limit 20" in found.sentence
    assert found.over == pytest.approx(7.5)


def test_a_new_champion_has_no_index_yet_and_the_last_one_says_whose_it_is() -> None:
    found = drift(story(PROMOTED + 2))
    assert (found.last_version, found.days[-1].version) == ("m-1", "m-2")
    assert found.sentence.startswith(
        "stability index 0.3, beyond the limit of 0.1 on 31 July 2018 with m-1; m-2 has not"
    )


def test_before_any_window_is_full_there_is_a_sentence_and_no_line() -> None:
    young = drift(records_of(None, None))
    assert young.sentence == "no stability index yet: the model has not seen seven days"
    drawn = small_multiple(young, [])
    assert (drawn.line, drawn.dots) == ("", [])


def test_a_feature_is_that_of_the_version_that_decided_on_most_of_the_day() -> None:
    shared = (statistics(FIRST_DAY, amount=0.3, rows=100), statistics(FIRST_DAY, version="m-2", amount=0.01))
    assert drift(HealthRecords(statistics=shared)).last == 0.01


def test_only_a_quarter_is_drawn() -> None:
    assert len(drift(records_of(*[0.01] * (SHOWN_DAYS + 9))).days) == SHOWN_DAYS


def test_the_line_is_inside_and_broken_where_another_model_took_over() -> None:
    records = story()
    drawn = small_multiple(drift(records), marks_of(records))
    first, second = points(drawn.line)
    assert (len(first), len(second)) == (PROMOTED - 6, 70 - PROMOTED - 6)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for run in (first, second) for x, y in run)
    assert second[-1][0] == WIDTH
    assert [run[0][0] for run in points(drawn.limit)] == [0, pytest.approx(WIDTH * PROMOTED / 70, abs=0.1)]


def test_the_higher_the_index_the_higher_the_line_and_what_is_beyond_lies_above_the_limit() -> None:
    drawn = small_multiple(drift(records_of(0.02, 0.05, 0.3)), [])
    ((low, middle, high),) = points(drawn.line)
    limit = points(drawn.limit)[0][0][1]
    assert low[1] > middle[1] > limit > high[1] == 0


def test_a_single_day_between_gaps_is_a_dot() -> None:
    drawn = small_multiple(drift(records_of(None, 0.05, None)), [])
    assert (drawn.line, len(drawn.dots)) == ("", 1)


def test_marks_outside_the_quarter_are_left_out() -> None:
    records = story()
    drawn = small_multiple(drift(HealthRecords(statistics=records.statistics[50:])), marks_of(records))
    ((x, kind),) = drawn.marks
    assert x == pytest.approx(WIDTH * 14 / 20, abs=0.1)
    assert kind == "recovery"
