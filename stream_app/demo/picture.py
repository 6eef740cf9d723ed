"""Recall by event day as a picture, with what happened to the model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from stream_app.demo.recall import DayOfFrauds
from stream_app.performance.picture import INK, SETTINGS

_LINE: Final = "#1f4e9c"


class Mark(NamedTuple):
    """A moment, in days of the bank, what it was, and its colour."""

    day: float
    text: str
    colour: str


def draw(days: Sequence[DayOfFrauds], marks: Sequence[Mark], path: Path) -> None:
    """Write the picture; the area of a point grows with the frauds of its day."""
    with mpl.rc_context(SETTINGS):
        canvas = Canvas(figsize=(9.0, 4.6), layout="constrained")
        axes = canvas.subplots()
        at, share = [day.day + 0.5 for day in days], [day.flagged / day.frauds for day in days]
        axes.plot(at, share, color=_LINE, linewidth=1.5, zorder=2)
        axes.scatter(at, share, s=[0.6 * day.frauds for day in days], color=_LINE, zorder=3)
        for number, mark in enumerate(marks):
            axes.axvline(mark.day, color=mark.colour, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
            axes.annotate(
                mark.text,
                (mark.day, 1.0 + 0.055 * (len(marks) - number)),
                xycoords=("data", "axes fraction"),
                xytext=(3, 0),
                textcoords="offset points",
                va="top",
                color=mark.colour,
                fontsize=8,
            )
        axes.set_ylim(0.0, 1.02)
        axes.set_ylabel("share of the fraud that was flagged", color=INK)
        axes.set_xlabel("event day of the bank; the area of a point grows with its frauds", color=INK)
        axes.grid(axis="y", color="#dddddd", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.set_title(
            "Recall by event day, from the simulator's truth", loc="left", pad=16.0 * len(marks), fontweight="bold"
        )
        canvas.savefig(path, metadata={"Date": None})
