"""Reigns and trials as a drawing: a lane per version, a bar per reign, a mark per swap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from stream_app.console.models.reigns import Reign, Trial
from stream_app.console.moment import lasted, moment

MOST_LANES: Final = 10
"""Versions that are drawn, the latest; the table has all."""
WIDTH: Final = 960
_LEFT: Final = 132
_RIGHT: Final = 16
_TOP: Final = 10
_LANE: Final = 30
_BOTTOM: Final = 28
_TICKS: Final = 5
_STEPS_MS: Final = tuple(
    minutes * 60_000
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440, 2880, 10_080, 20_160, 43_200, 129_600, 525_600)
)
_SHORTEST_MS: Final = 60_000
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Lane:
    """A version's line; `y` is its middle."""

    version: str
    y: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A reign or a trial; `kind` is champion, shadow or canary."""

    kind: str
    x: float
    y: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A swap; `kind` is promote, rollback or move, `record` its audit record."""

    kind: str
    x: float
    y: float
    title: str
    record: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the time axis."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is drawn, in units of the drawing.

    Attributes
    ----------
    width, height, left, bottom: of the drawing, and where lanes begin and the axis lies.
    lanes, bars, marks, ticks: what is in it.
    left_out: versions that have no lane because they are too old.
    summary: the same in words.
    """

    width: int
    height: int
    left: int
    bottom: int
    lanes: tuple[Lane, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    left_out: int
    summary: str


def timeline(reigns: Sequence[Reign], trials: Sequence[Trial], now_ms: int) -> Timeline:
    """Draw reigns and trials, both the oldest first, up to now."""
    every: list[Reign | Trial] = sorted([*reigns, *trials], key=lambda each: each.from_ms)
    seen = dict.fromkeys(each.version for each in every)
    latest = list(dict.fromkeys(each.version for each in reversed(every)))[:MOST_LANES]
    versions = [version for version in seen if version in latest]
    spans = [each for each in every if each.version in versions]
    begin = min((each.from_ms for each in spans), default=now_ms - _SHORTEST_MS)
    end = max(now_ms, begin + _SHORTEST_MS)
    lanes = tuple(Lane(version, _TOP + (number + 0.5) * _LANE) for number, version in enumerate(versions))
    height = _TOP + _LANE * max(1, len(lanes)) + _BOTTOM
    place = _Place(begin, end, {lane.version: lane.y for lane in lanes}, now_ms)
    return Timeline(
        width=WIDTH,
        height=height,
        left=_LEFT,
        bottom=height - _BOTTOM,
        lanes=lanes,
        bars=tuple(place.bar(each) for each in spans),
        marks=tuple(place.mark(each) for each in reigns if each.version in versions),
        ticks=place.ticks(),
        left_out=len(seen) - len(versions),
        summary=_summary(reigns, trials),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Turns times and versions into coordinates."""

    begin: int
    end: int
    y: dict[str, float]
    now_ms: int

    def x(self, at_ms: int) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (at_ms - self.begin) / (self.end - self.begin), 1)

    def bar(self, span: Reign | Trial) -> Bar:
        until_ms = self.end if span.until_ms is None else span.until_ms
        kind = span.stage if isinstance(span, Trial) else "champion"
        x = self.x(span.from_ms)
        until = "now" if span.until_ms is None else moment(span.until_ms)
        how_long = lasted((self.now_ms if span.until_ms is None else span.until_ms) - span.from_ms)
        title = f"{span.version} {kind} from {moment(span.from_ms)} to {until} ({how_long})"
        return Bar(kind, x, self.y[span.version], round(max(2.0, self.x(until_ms) - x), 1), title)

    def mark(self, reign: Reign) -> Mark:
        title = f"{reign.action} of {reign.version} at {moment(reign.from_ms)} by {reign.actor}: {reign.reason}"
        return Mark(reign.action, self.x(reign.from_ms), self.y[reign.version], title, reign.sequence)

    def ticks(self) -> tuple[Tick, ...]:
        span = self.end - self.begin
        step = next((step for step in _STEPS_MS if span / step <= _TICKS), _STEPS_MS[-1])
        first = -(-self.begin // step) * step
        return tuple(Tick(self.x(at), _axis(at, step)) for at in range(first, self.end + 1, step))


def _axis(at_ms: int, step_ms: int) -> str:
    written = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{written:%Y-%m-%d}" if step_ms >= _DAY_MS else f"{written:%d %b %H:%M}"


def _summary(reigns: Sequence[Reign], trials: Sequence[Trial]) -> str:
    if not reigns:
        return "No version has been champion yet."
    last = reigns[-1]
    rollbacks = sum(reign.action == "rollback" for reign in reigns)
    versions = len({reign.version for reign in reigns})
    counted = f"{_many(versions, 'version')} in {_many(len(reigns), 'reign')}, {_many(rollbacks, 'roll-back')}"
    trial = trials[-1] if trials and trials[-1].until_ms is None else None
    beside = "" if trial is None else f" {trial.version} is in {trial.stage} beside it."
    return f"{last.version} is champion since {moment(last.from_ms)} UTC. {counted}.{beside}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
