"""The columns that the script draws, and the same in words."""

from typing import Any

from models.schema.performance import EstimatedFigures
from stream_app.console.health.chart import TITLES, ChartFigure
from stream_app.console.health.records import HealthRecords
from stream_app.console.health.view import FIRST_SHOWN, HealthView, health_view
from tests.support.health_story import CHANGED, ENDED, LAST, ms, story
from tests.support.performance_records import record

COLUMNS = ("value", "low", "high", "first", "estimated")


def figure(view: HealthView, name: str) -> ChartFigure:
    return next(one for one in view.chart.figures if one.name == name)


def known(column: list[Any]) -> list[Any]:
    return [one for one in column if one is not None]


def test_every_column_is_as_long_as_the_axis() -> None:
    chart = health_view(story()).chart
    assert chart.at == sorted(set(chart.at))
    assert [one.name for one in chart.figures] == list(TITLES)
    assert {len(getattr(one, name)) for one in chart.figures for name in COLUMNS} == {len(chart.at)}
    assert len(chart.version) == len(chart.at)


def test_what_is_measured_and_what_is_estimated_never_share_a_place() -> None:
    recall = figure(health_view(story()), "recall")
    assert known(recall.value) == [0.82, 0.82, 0.8, 0.82, 0.82, 0.49, 0.76, 0.83, 0.84]
    assert known(recall.estimated) == [0.75] * 7
    assert all(None in pair for pair in zip(recall.value, recall.estimated, strict=True))
    assert known(recall.first) == [0.82]
    assert [version for _, version, _ in recall.others] == ["m-1"]


def test_a_week_that_is_published_before_its_labels_are_mature_brings_its_own_estimate() -> None:
    promised = EstimatedFigures(9_000, 90, 80.0, 56.0, 0.6, 0.7, 0.65)
    young = record(1, recall=0.5, state="provisional", maturity=0.4, estimated=promised)
    view = health_view(HealthRecords(performance=(record(0, recall=0.82), young)))
    recall = figure(view, "recall")
    assert (recall.value, recall.estimated) == ([0.82, 0.5], [None, 0.7])
    assert [known for _, _, known, _ in view.chart.maturity] == [0.9]


def test_the_alert_rate_needs_no_labels_and_goes_up_to_the_last_day() -> None:
    rate = figure(health_view(story()), "alert_rate")
    assert len(known(rate.value)) == 9 + 7
    assert known(rate.estimated) == known(rate.low) == []


def test_incidents_and_marks_are_on_the_same_axis() -> None:
    chart = health_view(story()).chart
    assert chart.incidents == [(ms(CHANGED) / 1000, ms(ENDED) / 1000)]
    assert {label for _, _, label, _ in chart.marks} == {"W1", "A1", "R1", "R2", "R3", "M1", "E1"}
    still = health_view(story(52)).chart
    assert still.incidents == [(ms(CHANGED) / 1000, ms(53) / 1000)]


def test_the_words_beside_a_chart_say_maturity_intervals_restatements_and_swaps() -> None:
    said = figure(health_view(story()), "recall").description
    assert "82 % (77 to 87 %) in the first week" in said
    assert "lowest 49 % in the week of 23 July 2018" in said
    assert "Restated since first published: the weeks of 2 July 2018." in said
    assert "Estimated from scores alone, before labels: 75 % in the week up to 26 August 2018." in said
    assert "90 % of that week's fraud labels are expected to be known, 20 % of the last day's" in said
    assert "Alarms: A1 31 July." in said
    assert "Model swaps: M1 1 August." in said


def test_a_figure_that_no_week_defines_says_so() -> None:
    view = health_view(HealthRecords(performance=(record(0, recall=None),)))
    assert figure(view, "recall").description == "Recall: no week is measured yet."


def test_an_empty_page_can_be_drawn() -> None:
    view = health_view(HealthRecords())
    assert (view.chart.at, view.weeks, view.marks, view.drifts, view.version) == ([], [], [], [], None)


def test_twelve_features_are_drawn_and_all_on_request() -> None:
    view = health_view(story())
    assert (len(view.features), len(view.drifts), view.version) == (FIRST_SHOWN, 71, "m-2")
    assert len(health_view(story(), None).features) == 71
    assert view.last_day_ms == ms(LAST)
