"""The weeks as a picture: precision, recall and average precision over event time, and how much of it is known."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from models.errors import FraudstreamError
from models.schema.performance import Figure, Performance
from models.schema.topics import DAY_MS
from stream_app.performance.weeks import Week, date_of

FORMATS: Final = (".svg", ".png")

_PANELS: Final = (
    ("precision", "precision", "#0b6e4f"),
    ("recall", "recall", "#1f4e9c"),
    ("average_precision", "average precision", "#8a3b12"),
)
INK: Final = "#333333"
_YOUNG: Final = "#9a9a9a"
_MOMENT: Final = "#c1121f"
_DASHES: Final = (0, (4, 3))
SETTINGS: Final[dict[Any, Any]] = {
    "font.size": 9,
    "axes.edgecolor": "#888888",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "fraudstream",  # the same records give the same file
    "svg.fonttype": "none",
}
"""How every picture looks."""


class Mark(NamedTuple):
    """A moment of event time (ms) that is pointed out, and what it is."""

    at_ms: int
    text: str


class PictureError(FraudstreamError):
    """Raised when there is nothing to draw or no way to write it."""


def draw(weeks: Sequence[Week], path: Path, marks: Sequence[Mark] = ()) -> None:
    """Write the picture as SVG or PNG, by the file's suffix.

    The greyer a week, the more of its fraud labels are still to come; hatched weeks are not mature, and the hollow
    points in them say what scores alone lead to expect. Where a week was restated a cross stays at the figure that was
    published first. `marks` are drawn as lines with their text.

    Raises
    ------
    PictureError: for another suffix, or no week.
    """
    if path.suffix not in FORMATS:
        raise PictureError(f"a picture named {path.name} cannot be written; end its name with {' or '.join(FORMATS)}")
    if not weeks:
        raise PictureError("no week to draw yet: the first one is published when its last day is mature")
    with mpl.rc_context(SETTINGS):
        canvas = Canvas(figsize=(max(7.5, min(14.0, 3.0 + 0.5 * len(weeks))), 7.2), layout="constrained")
        panels = canvas.subplots(len(_PANELS), sharex=True)
        for axes, (name, title, colour) in zip(panels, _PANELS, strict=True):
            _shade(axes, weeks)
            _plot(axes, weeks, name, colour)
            _dress(axes, title)
        _mark_swaps(panels, weeks)
        _mark_moments(panels, marks)
        panels[0].set_title("Matured performance by week of event time", loc="left", pad=22, fontweight="bold")
        canvas.legend(handles=_legend(weeks), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
        canvas.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


def _middle(record: Performance) -> float:
    return _number(record.from_day) + (record.to_day - record.from_day) / 2


def _number(event_day: int) -> float:
    return float(date2num(date_of(event_day)))


def _shade(axes: Axes, weeks: Sequence[Week]) -> None:
    for first, least_known in {(week.newest.from_day, week.newest.to_day): week.newest for week in weeks}.items():
        start, end = map(_number, first)
        axes.axvspan(start, end, color=_YOUNG, alpha=0.55 * (1.0 - least_known.maturity), linewidth=0, zorder=0)
        if least_known.state == "provisional":
            axes.axvspan(start, end, facecolor="none", edgecolor="#bbbbbb", hatch="///", linewidth=0, zorder=0.1)


def _plot(axes: Axes, weeks: Sequence[Week], name: str, colour: str) -> None:
    for version in dict.fromkeys(week.newest.model_version for week in weeks):
        mine = [week for week in weeks if week.newest.model_version == version]
        settled = [week for week in mine if _figure(week.newest, name).value is not None]
        _band(axes, [week.newest for week in settled], name, colour)
        for week in settled:
            if week.published is not None and week.published is not week.newest:
                _restated(axes, week.published, name, colour)
        _estimates(axes, [week.newest for week in mine], name, colour)


def _band(axes: Axes, records: Sequence[Performance], name: str, colour: str) -> None:
    at = [_middle(record) for record in records]
    figures = [_figure(record, name) for record in records]
    values = [figure.value for figure in figures if figure.value is not None]
    low = [value if figure.low is None else figure.low for figure, value in zip(figures, values, strict=True)]
    high = [value if figure.high is None else figure.high for figure, value in zip(figures, values, strict=True)]
    axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.vlines(at, low, high, color=colour, alpha=0.45, linewidth=1)
    axes.plot(at, values, color=colour, linewidth=1.5, marker="o", markersize=4.5)


def _restated(axes: Axes, first: Performance, name: str, colour: str) -> None:
    value = _figure(first, name).value
    if value is not None:
        axes.plot([_middle(first)], [value], color=colour, marker="x", markersize=6, linestyle="none", zorder=3)


def _estimates(axes: Axes, records: Sequence[Performance], name: str, colour: str) -> None:
    points = [
        (_middle(record), getattr(record.estimated, name))
        for record in records
        if record.estimated is not None and getattr(record.estimated, name) is not None
    ]
    if points:
        at, values = zip(*points, strict=True)
        axes.plot(
            at, values, color=colour, marker="o", markerfacecolor="white", linestyle=":", markersize=5.5, zorder=3
        )


def _figure(record: Performance, name: str) -> Figure:
    figure: Figure = getattr(record.figures, name)
    return figure


def _dress(axes: Axes, title: str) -> None:
    locator = AutoDateLocator(maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_ylabel(title, color=INK)
    axes.set_ylim(0.0, 1.02)
    axes.set_yticks((0.0, 0.25, 0.5, 0.75, 1.0))
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)


def _mark_swaps(panels: Sequence[Axes], weeks: Sequence[Week]) -> None:
    """Draw a line where a version's first week begins, and name the version above the first panel."""
    first: dict[str, Performance] = {}
    for week in weeks:
        first.setdefault(week.newest.model_version, week.newest)
    panels[0].set_xlim(_number(weeks[0].newest.from_day), max(_number(week.newest.to_day) for week in weeks))
    for place, (version, record) in enumerate(first.items()):
        at = _number(record.from_day)
        for axes in panels if place else ():
            axes.axvline(at, color=INK, linewidth=1, linestyle=_DASHES)
        panels[0].annotate(
            version,
            (at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(2, 4),
            textcoords="offset points",
            fontsize=8,
            color=INK,
        )


def _mark_moments(panels: Sequence[Axes], marks: Sequence[Mark]) -> None:
    for mark in marks:
        at = _number(0) + mark.at_ms / DAY_MS
        for axes in panels:
            axes.axvline(at, color=_MOMENT, linewidth=1.2)
        panels[-1].annotate(
            mark.text,
            (at, 0.98),
            xycoords=("data", "axes fraction"),
            xytext=(3, 0),
            textcoords="offset points",
            rotation=90,
            verticalalignment="top",
            annotation_clip=True,
            fontsize=8,
            color=_MOMENT,
        )


def _legend(weeks: Sequence[Week]) -> list[Artist]:
    newest = [week.newest for week in weeks]
    swap = Line2D([], [], color=INK, linewidth=1, linestyle=_DASHES, label="first week of a version")
    estimated = Line2D([], [], color=INK, marker="o", markerfacecolor="white", linestyle=":")
    estimated.set_label("estimated from scores")
    explained = (
        (True, Line2D([], [], color=INK, marker="o", markersize=4.5, label="measured, newest revision")),
        (True, Patch(facecolor=_PANELS[1][2], alpha=0.25, label="95 % interval")),
        (True, Patch(facecolor=_YOUNG, alpha=0.4, label="grey: labels still to come")),
        (
            any(record.state == "provisional" for record in newest),
            Patch(facecolor="none", edgecolor="#999999", hatch="///", label="not mature: mature days only"),
        ),
        (any(record.estimated is not None for record in newest), estimated),
        (
            any(record.state == "restated" for record in newest),
            Line2D([], [], color=INK, marker="x", linestyle="none", label="as first published"),
        ),
        (len({record.model_version for record in newest}) > 1, swap),
    )
    return [artist for is_drawn, artist in explained if is_drawn]
