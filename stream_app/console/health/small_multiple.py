"""A feature's drift as the lines of a small picture, in the units of its view box."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from models.schema.topics import DAY_MS
from stream_app.console.health.features import FeatureDay, FeatureDrift
from stream_app.console.health.marks import Mark

WIDTH: Final = 240
HEIGHT: Final = 56
_HEADROOM: Final = 1.6
"""The limit lies at most this deep, so that a feature far within it is a flat line far below."""


@dataclass(frozen=True, slots=True)
class SmallMultiple:
    """What is drawn of a feature.

    Attributes
    ----------
    drift: the feature.
    line, limit: SVG paths; the line is broken where a window was not full and where another version took over.
    dots: single days between two gaps, which no line shows.
    marks: (x, kind) of what fell into the time.
    """

    drift: FeatureDrift
    line: str
    limit: str
    dots: list[tuple[float, float]]
    marks: list[tuple[float, str]]


def small_multiple(drift: FeatureDrift, marks: Iterable[Mark]) -> SmallMultiple:
    """Lay out a feature; all features of a page have the same axis of time and each its own height."""
    from_ms, to_ms = drift.days[0].at_ms - DAY_MS, drift.days[-1].at_ms
    known = [day.index for day in drift.days if day.index is not None]
    top = max([*known, *(_HEADROOM * day.limit for day in drift.days)])

    def place(at_ms: int, value: float) -> tuple[float, float]:
        x = WIDTH * (at_ms - from_ms) / (to_ms - from_ms)
        return round(x, 1), round(HEIGHT * (1.0 - value / top), 1)

    def level(run: Sequence[FeatureDay]) -> str:
        return _path([place(run[0].at_ms - DAY_MS, run[0].limit), place(run[-1].at_ms, run[0].limit)])

    runs = [[place(day.at_ms, day.index or 0.0) for day in run] for run in _runs(drift.days)]
    return SmallMultiple(
        drift=drift,
        line="".join(_path(run) for run in runs if len(run) > 1),
        limit="".join(level(list(run)) for _, run in groupby(drift.days, lambda day: (day.version, day.limit))),
        dots=[run[0] for run in runs if len(run) == 1],
        marks=[(place(mark.at_ms, 0.0)[0], mark.kind) for mark in marks if from_ms <= mark.at_ms <= to_ms],
    )


def _runs(days: Sequence[FeatureDay]) -> list[list[FeatureDay]]:
    """Days in a row of one version whose index is known."""
    runs = groupby(days, lambda day: (day.version, day.index is not None))
    return [list(run) for (_, known), run in runs if known]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
