"""The figures over event time as columns for the script that draws them, each with what it shows in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from stream_app.console.health.accuracy import ESTIMATED, Week, champions_of
from stream_app.console.health.dates import day, short_day
from stream_app.console.health.estimates import Estimate
from stream_app.console.health.figures import percent, with_interval
from stream_app.console.health.marks import Incident, Mark
from stream_app.console.health.maturity import Stretch

Column = list[float | None]
_T = TypeVar("_T")

ALERT_RATE: Final = "alert_rate"
TITLES: Final = {
    "recall": ("Recall", "share of the frauds that were flagged"),
    "precision": ("Precision", "share of the alerts that were fraud"),
    "average_precision": ("Average precision", "how well the scores rank fraud above the rest, over all thresholds"),
    "value_detection_rate": ("Value detection rate", "share of the frauds' amount that was flagged"),
    ALERT_RATE: ("Alert rate", "share of the transactions that were flagged; no labels are needed for it"),
}


@dataclass(frozen=True, slots=True)
class ChartFigure:
    """One figure; every column is as long as the chart's `at`, with None where there is nothing.

    Attributes
    ----------
    name, title, about: what it is.
    value, low, high: of the champion's weeks, and the 95 % interval.
    first: what was published first, where a week was restated.
    estimated: what scores alone lead to expect, of the week that ends there.
    others: (seconds, version, value) of versions that decided on less of a week than its champion.
    description: the same in words.
    """

    name: str
    title: str
    about: str
    value: Column
    low: Column
    high: Column
    first: Column
    estimated: Column
    others: list[tuple[float, str, float]]
    description: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All charts of the page, which share the axis of time.

    Attributes
    ----------
    at: seconds of event time, growing.
    version: the champion at each.
    figures: one chart each.
    maturity: (from, to, share of the labels known, whether it is measured), in seconds.
    marks: (at, kind, label, text), in seconds.
    incidents: (from, to), in seconds; an open one ends with the chart.
    """

    at: list[float]
    version: list[str | None]
    figures: list[ChartFigure]
    maturity: list[tuple[float, float, float, bool]]
    marks: list[tuple[float, str, str, str]]
    incidents: list[tuple[float, float]]


def chart_of(
    weeks: Sequence[Week],
    estimates: Sequence[Estimate],
    stretches: Sequence[Stretch],
    marks: Sequence[Mark],
    incidents: Sequence[Incident],
) -> Chart:
    """Lay all figures out over one axis."""
    champions = champions_of(weeks)
    at = sorted({week.middle_ms for week in champions} | {one.at_ms for one in estimates})
    end = max([stretch.to_ms for stretch in stretches] + [mark.at_ms for mark in marks], default=0)
    layout = _Layout(at, champions, [week for week in weeks if not week.champion], estimates, stretches, marks)
    return Chart(
        at=[_seconds(one) for one in at],
        version=layout.column(lambda week: week.version),
        figures=[layout.figure(name) for name in TITLES],
        maturity=[(_seconds(one.from_ms), _seconds(one.to_ms), round(one.known, 3), one.measured) for one in stretches],
        marks=[(_seconds(mark.at_ms), mark.kind, mark.label, mark.text) for mark in marks],
        incidents=[
            (_seconds(one.changed_ms), _seconds(end if one.ended_ms is None else one.ended_ms)) for one in incidents
        ],
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    at: list[int]
    champions: Sequence[Week]
    others: Sequence[Week]
    estimates: Sequence[Estimate]
    stretches: Sequence[Stretch]
    marks: Sequence[Mark]

    def column(self, of_week: Callable[[Week], _T]) -> list[_T | None]:
        found = {week.middle_ms: of_week(week) for week in self.champions}
        return [found.get(one) for one in self.at]

    def figure(self, name: str) -> ChartFigure:
        title, about = TITLES[name]
        estimated = {week.middle_ms: week.estimated.get(name) for week in self.champions}
        if name in ESTIMATED:
            estimated |= {one.at_ms: one.figures[name] for one in self.estimates}
        known = self.column(lambda week: _value(week, name))
        if name == ALERT_RATE:
            rates = {one.at_ms: one.alert_rate for one in self.estimates}
            known = [rates.get(at, value) for at, value in zip(self.at, known, strict=True)]
        return ChartFigure(
            name=name,
            title=title,
            about=about,
            value=_rounded(known),
            low=_rounded(self.column(lambda week: None if name == ALERT_RATE else week.figures[name].low)),
            high=_rounded(self.column(lambda week: None if name == ALERT_RATE else week.figures[name].high)),
            first=_rounded(self.column(lambda week: week.first.get(name))),
            estimated=_rounded([estimated.get(one) for one in self.at]),
            others=[
                (_seconds(week.middle_ms), week.version, round(value, 4))
                for week in self.others
                if (value := _value(week, name)) is not None
            ],
            description=" ".join(self._said(name, title)),
        )

    def _said(self, name: str, title: str) -> list[str]:
        known = [week for week in self.champions if _value(week, name) is not None]
        if not known:
            return [f"{title}: no week is measured yet.", *self._expected(name)]
        lowest, last = min(known, key=lambda week: _value(week, name) or 0.0), known[-1]
        said = [
            f"{title} by week of event time, {day(known[0].from_ms)} to {day(last.to_ms - 1)}:",
            f"{_interval(known[0], name)} in the first week,",
            f"lowest {percent(_value(lowest, name), _digits(name))} in the week of {day(lowest.from_ms)},",
            f"{_interval(last, name)} in the last one measured.",
        ]
        restated = [week for week in known if name in week.first]
        if restated:
            said.append(
                f"Restated since first published: the weeks of {_list([day(week.from_ms) for week in restated])}."
            )
        return [*said, *self._expected(name), *self._maturity(last, name), *self._moments()]

    def _expected(self, name: str) -> list[str]:
        figures = [(one.at_ms, one.figures[name]) for one in self.estimates] if name in ESTIMATED else []
        last = next(((at, value) for at, value in reversed(figures) if value is not None), None)
        if last is None:
            return []
        return [f"Estimated from scores alone, before labels: {percent(last[1])} in the week up to {day(last[0] - 1)}."]

    def _maturity(self, last: Week, name: str) -> list[str]:
        if name == ALERT_RATE:
            return []
        young = [one for one in self.stretches if not one.measured]
        said = [f"Label maturity: {percent(last.maturity)} of that week's fraud labels are expected to be known"]
        if young:
            said.append(f", {percent(young[-1].known)} of the last day's")
        return ["".join(said) + "."]

    def _moments(self) -> list[str]:
        alarms = [f"{mark.label} {short_day(mark.at_ms)}" for mark in self.marks if mark.kind == "alarm"]
        swaps = [f"{mark.label} {short_day(mark.at_ms)}" for mark in self.marks if mark.kind == "swap"]
        return [f"{name}: {_list(found)}." for name, found in (("Alarms", alarms), ("Model swaps", swaps)) if found]


def _value(week: Week, name: str) -> float | None:
    return week.alert_rate if name == ALERT_RATE else week.value(name)


def _interval(week: Week, name: str) -> str:
    return percent(week.alert_rate, 2) if name == ALERT_RATE else with_interval(week.figures[name])


def _digits(name: str) -> int:
    return 2 if name == ALERT_RATE else 0


def _list(parts: Sequence[str]) -> str:
    return ", ".join(parts)


def _rounded(column: Sequence[float | None]) -> Column:
    """Five digits: a page holds hundreds of them, and no eye sees the sixth."""
    return [None if value is None else round(value, 5) for value in column]


def _seconds(at_ms: int) -> float:
    return at_ms / 1000
