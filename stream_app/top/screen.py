"""Draws a picture for a terminal of 80 columns or more; never by colour alone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream_app.top.picture import Picture
from stream_app.worker_status import WorkerStatus

FINDINGS: Final = 8
HISTORY: Final = 30
"""Looks that the small curve goes back over."""
_BARS: Final = "▁▂▃▄▅▆▇█"
_STYLES: Final = {"alarm": "bold red", "warning": "yellow", "recovery": "green", "retrain": "cyan", "model": "magenta"}
_HIGH_LAG_S: Final = 5.0
"""Of work at the present rate; more than that is marked."""


def screen(picture: Picture, history: Sequence[float], address: str) -> RenderableType:
    """Return everything as one thing to print.

    Parameters
    ----------
    picture: what was found now.
    history: events scored a second at the looks before, the latest last.
    address: of the Kafka that was looked at.
    """
    heading = Text.assemble(("fraudstream top", "bold"), f"  {address}  {_time(picture.at_ms)} UTC")
    parts: list[RenderableType] = [heading]
    if picture.silent is not None:
        parts.append(Text(f"! {picture.silent}; what is shown is what was seen last", style="bold red"))
    parts += [_flow(picture, history), _partitions(picture), _workers(picture.workers), _findings(picture)]
    return Group(*parts)


def curve(values: Sequence[float]) -> str:
    """Return figures as a row of bars, the largest of them the highest.

    Examples
    --------
    >>> curve([0, 500, 1000])
    '▁▅█'
    >>> curve([])
    ''
    """
    highest = max(values, default=0.0) or 1.0
    return "".join(_BARS[round(value / highest * (len(_BARS) - 1))] for value in values)


def _flow(picture: Picture, history: Sequence[float]) -> Table:
    sample = picture.sample
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    rate = f"{_rate(picture.scored_per_s)} scored, {_rate(picture.received_per_s)} received"
    table.add_row("events/s", f"{rate}  {curve(history[-HISTORY:])}")
    table.add_row("lag", _lag(picture))
    alerts = "no score yet" if sample.alert_rate is None else f"{sample.alert_rate:.1%} flagged"
    kinds = f"{sample.review} review, {sample.decline} decline, {sample.degraded} degraded"
    table.add_row("alerts", f"{alerts}: {kinds} of the last {sample.scores}")
    p50, p99 = sample.latency_quantile(0.5), sample.latency_quantile(0.99)
    known = "not known" if p50 is None or p99 is None else f"p50 {p50:,.0f} ms, p99 {p99:,.0f} ms"
    table.add_row("latency", f"{known} from received to scored, of the last {len(sample.latency_ms)}")
    return table


def _lag(picture: Picture) -> Text:
    lag, rate = picture.lag, picture.scored_per_s
    behind = bool(lag) and rate is not None and lag > rate * _HIGH_LAG_S
    return Text(f"{lag:,} wait{' - behind' if behind else ''}", style="bold red" if behind else "")


def _partitions(picture: Picture) -> Table:
    owner = {number: worker.writer for worker in picture.workers for number in worker.partitions}
    table = Table(title="partitions", title_justify="left", box=None, padding=(0, 2, 0, 0), title_style="bold")
    for heading in ("partition", "received", "scored up to", "lag"):
        table.add_column(heading, justify="right")
    table.add_column("worker", overflow="ellipsis", no_wrap=True)
    for one in picture.partitions:
        worker = _plain(owner.get(one.number, "nobody"))
        table.add_row(str(one.number), f"{one.end:,}", f"{one.scored:,}", f"{one.lag:,}", worker)
    return table


def _workers(workers: Sequence[WorkerStatus]) -> RenderableType:
    if not workers:
        return Text("no worker lives: fraudstream score", style="bold red")
    table = Table(title="workers", title_justify="left", box=None, padding=(0, 2, 0, 0), title_style="bold")
    for heading in ("worker", "champion", "beside it", "profiles as of", "state"):
        table.add_column(heading, overflow="ellipsis", no_wrap=True)
    for worker in workers:
        beside = ", ".join(version for version in worker.models if version != worker.model_version) or "-"
        as_of = _minute(worker.profiles_as_of) if worker.profiles_as_of > 0 else "none"
        ready = Text("ready", style="green") if worker.ready else Text("not ready", style="yellow")
        table.add_row(_plain(worker.writer), _plain(worker.model_version or "none"), _plain(beside), as_of, ready)
    return table


def _findings(picture: Picture) -> Table:
    table = Table(title="last findings", title_justify="left", box=None, padding=(0, 2, 0, 0), title_style="bold")
    table.add_column("at", min_width=8, no_wrap=True)
    table.add_column("what", min_width=8, no_wrap=True)
    table.add_column("", overflow="ellipsis", no_wrap=True)
    for one in picture.findings[:FINDINGS]:
        table.add_row(_time(one.at_ms), Text(one.kind, style=_STYLES.get(one.kind, "")), _plain(one.text))
    if not picture.findings:
        table.add_row("-", "none", "nothing was found, asked for or released so far")
    return table


def _plain(text: str) -> Text:
    """What came from a topic, letter by letter: no markup of ours, and nothing that steers a terminal."""
    return Text("".join(letter if letter.isprintable() else "?" for letter in text))


def _rate(per_s: float | None) -> str:
    return "?" if per_s is None else f"{per_s:,.0f}"


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M:%S}"


def _minute(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"
