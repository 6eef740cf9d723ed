"""What the benches found as pictures: ours over each peer, throughput, latency."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, NullFormatter

from bench.peers.catalogue import OURS
from stream_app.performance.picture import INK, SETTINGS

Figures = Mapping[str, Any]
"""As `bench_end_to_end --json` prints them."""
_OURS: Final = "#1f4e9c"
_THEIRS: Final = "#8a8a8a"
_PERCENTILES: Final = {"p50": "#1f4e9c", "p99": "#d98e04", "p999": "#a4161a"}
_ROW_INCHES: Final = 0.32


def draw_ratios(figures: Figures, path: Path) -> None:
    """Write ours over each peer, events per CPU second, least to most of the rounds."""
    rows = [(name, value, figures["spread"]["ratio"]["cpu"][name]) for name, value in figures["ratio"]["cpu"].items()]
    if figures.get("history"):
        per_card, spread = figures["history"]["per_card"], figures["spread"]["history"]["ratio"]["cpu"]
        rows += [
            (f"{name}, {per_card:g} before per card", value, spread[name])
            for name, value in figures["history"]["ratio"]["cpu"].items()
        ]
    with mpl.rc_context(SETTINGS):
        canvas = _canvas(len(rows))
        axes = canvas.subplots()
        axes.axvline(1.0, color=INK, linewidth=1)
        _ranges(axes, rows, dict.fromkeys((name for name, *_ in rows), _OURS), "{:.2f}")
        _dress(axes, f"events per CPU second: {OURS} over each; right of 1 it needs less")
        _save(canvas, path)


def draw_throughput(figures: Figures, path: Path) -> None:
    """Write events a second and per CPU second of each."""
    titles = {"throughput": "events a second", "cpu": "events per CPU second of the worker"}
    colours = {name: _OURS if name == OURS else _THEIRS for name in figures["throughput"]}
    with mpl.rc_context(SETTINGS):
        canvas = _canvas(len(colours))
        for axes, (figure, title) in zip(canvas.subplots(1, len(titles), sharey=True), titles.items(), strict=True):
            spread = figures["spread"][figure]
            _ranges(axes, [(name, value, spread[name]) for name, value in figures[figure].items()], colours, "{:,.0f}")
            _dress(axes, title)
        _save(canvas, path)


def draw_latency(figures: Figures, path: Path) -> None:
    """Write percentiles of the latency at each rate."""
    rates = figures["latency_ms"]
    names = list(dict.fromkeys(name for by_peer in rates.values() for name in by_peer))
    with mpl.rc_context(SETTINGS):
        canvas = _canvas(len(names))
        panels = canvas.subplots(1, len(rates), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (rate, by_peer) in zip(panels, rates.items(), strict=True):
            for name, found in by_peer.items():
                at = names.index(name)
                axes.plot([found["p50"], found["p999"]], [at, at], color="#cccccc", linewidth=2, zorder=1)
                for percentile, colour in _PERCENTILES.items():
                    axes.plot([found[percentile]], [at], "o", color=colour, markersize=5, zorder=2)
            axes.set_yticks(range(len(names)), names)
            axes.set_ylim(len(names) - 0.4, -0.6)
            _dress(axes, f"ms at {int(rate):,} events/s")
        marks = [panels[0].plot([], [], "o", color=colour)[0] for colour in _PERCENTILES.values()]
        canvas.legend(marks, ["p50", "p99", "p99.9"], loc="outside lower center", ncols=3, frameon=False)
        _save(canvas, path)


def _canvas(rows: int) -> Canvas:
    return Canvas(figsize=(9.0, 1.0 + _ROW_INCHES * rows), layout="constrained")


def _ranges(
    axes: Axes, rows: Sequence[tuple[str, float, Sequence[float]]], colours: Mapping[str, str], form: str
) -> None:
    """Draw one row each: a point at the median, a line from least to most, and the median as a number."""
    for at, (name, value, (least, most)) in enumerate(rows):
        axes.plot([least, most], [at, at], color=colours[name], linewidth=2, alpha=0.5)
        axes.plot([value], [at], "o", color=colours[name], markersize=5)
        axes.annotate(
            form.format(value), (most, at), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)


def _dress(axes: Axes, title: str) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.15)
    axes.grid(axis="x", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold")


def _save(canvas: Canvas, path: Path) -> None:
    canvas.savefig(path, metadata={"Date": None})
