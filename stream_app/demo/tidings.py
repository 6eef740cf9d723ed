"""What the watch has found and what became of models, in a sentence each."""

from models.drift.words import date
from models.schema.drift_event import DriftEvent
from models.schema.model_event import ModelEvent
from models.schema.performance import Figure, Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.demo.findings import Finding

_LEVELS = {"warning": "drift warning", "alarm": "DRIFT ALARM", "recovery": "the drift is over"}


def tidings(found: Finding) -> str | None:
    """Return what is told of a finding; None for a week that is only stated again with labels that came later."""
    if isinstance(found, DriftEvent):
        return f"{_LEVELS[found.level]} of {date(found.as_of)}: {found.summary}"
    if isinstance(found, RetrainRequest):
        return _request(found)
    if isinstance(found, ModelEvent):
        return _model(found)
    return _week(found) if found.state == "mature" else None


def _request(request: RetrainRequest) -> str:
    since = "" if request.changed_at is None else f" since {date(request.changed_at)}"
    again = "a retrain is asked for" if request.number == 1 else "a retrain is asked for again"
    return f"{again}, {date(request.as_of)}: {request.frauds_since_change} known frauds{since} can be learned from"


def shortly(cause: str) -> str:
    """Return the first of several causes, and how many more there are.

    Examples
    --------
    >>> shortly("alert rate: too many; latency: too slow; constant output: one score")
    'alert rate: too many; and 2 more'
    """
    first, *others = cause.split("; ")
    return f"{first}; and {len(others)} more" if others else first


def _model(event: ModelEvent) -> str:
    """Say what was done, in capitals where the champion has changed."""
    said = {
        "registered": f"the gate let {event.version} pass: {event.cause}",
        "rejected": f"the gate rejected a candidate: {event.cause}",
        "undecided": f"the gate is undecided, which waits for more mature days: {event.cause}",
        "shadow started": f"shadow: {event.version} {event.cause}",
        "canary started": f"canary: {event.version}; {event.cause}",
        "promoted": f"PROMOTED {event.version}: {event.cause}; {event.before} scores on beside it, and is watched",
        "withdrawn": f"withdrawn {event.version}: {event.cause}",
        "rolled back": f"ROLLED BACK from {event.before} to {event.version}: {shortly(event.cause)}",
        "watch ended": f"the watch over {event.version} has ended: {event.cause}",
        "adopted": f"the release loop has seen it and watches {event.version} beside {event.before}",
        "frozen": "frozen: no model is promoted automatically until a person lifts it",
        "unfrozen": f"unfrozen: {event.cause}",
        "verified": f"verified {event.version} once more: {event.cause}",
        "verification failed": f"{event.version} could not be verified: {event.cause}",
    }
    return said[event.kind]


def _week(week: Performance) -> str:
    first, last = date(week.from_day * DAY_MS), date((week.to_day - 1) * DAY_MS)
    return (
        f"labels of {first} to {last} have matured: {week.model_version} found {_percent(week.figures.recall)} of "
        f"{week.frauds} frauds, {_percent(week.figures.precision)} of what it flagged was fraud"
    )


def _percent(figure: Figure) -> str:
    return "?" if figure.value is None else f"{figure.value:.0%}"
