"""The weeks as a table."""

from collections.abc import Iterable

from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.schema.performance import Figure, Performance
from stream_app.performance.weeks import date_of

_HEADINGS = (
    "week from",
    "model",
    "known",
    "rows",
    "frauds",
    "alerts",
    "precision",
    "recall",
    "AP",
    "CP@100",
    "FP/fraud",
    "value",
)
_STYLES = {"provisional": "dim", "mature": "", "restated": "yellow"}
_LEGEND = (
    "known: expected share of the week's fraud labels that are in. Below each figure its 95 % interval. FP/fraud: "
    "false alerts for each fraud caught. value: share of the frauds' amount that was flagged.\n"
    "~ not mature yet: figures of the mature days only. * restated since it was first published."
)


def performance_table(records: Iterable[Performance]) -> RenderableType:
    """Lay records out, one a line, in the order given."""
    table = Table(box=SIMPLE, pad_edge=False, collapse_padding=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading in {"week from", "model"} else "right", no_wrap=True)
    for record in records:
        table.add_row(*_cells(record), style=_STYLES[record.state])
    return Group(table, Text(_LEGEND, style="dim"))


def _cells(record: Performance) -> list[str]:
    mark = {"provisional": " ~", "mature": "", "restated": " *"}[record.state]
    figures = record.figures
    return [
        f"{date_of(record.from_day):%Y-%m-%d}{mark}\nas of {_as_of(record)}",
        record.model_version,
        f"{record.maturity:.0%}",
        f"{record.rows:,}",
        f"{record.frauds:,}",
        f"{record.alerts:,}",
        _share(figures.precision),
        _share(figures.recall),
        _share(figures.average_precision),
        _share(figures.card_precision_100),
        _ratio(figures.false_positives_per_fraud),
        _share(figures.value_detection_rate),
    ]


def _as_of(record: Performance) -> str:
    return f"{date_of(record.as_of // 86_400_000):%m-%d}"


def _share(figure: Figure) -> str:
    """Without the naught, as the column of a figure between 0 and 1 is narrow."""
    if figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return _short(figure.value, 3)
    return f"{_short(figure.value, 3)}\n{_short(figure.low, 2)}-{_short(figure.high, 2)}"


def _short(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".removeprefix("0")


def _ratio(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    limits = "" if figure.low is None or figure.high is None else f"\n{figure.low:.1f}-{figure.high:.1f}"
    return f"{figure.value:.2f}{limits}"
