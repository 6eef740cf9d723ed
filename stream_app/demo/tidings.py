"""What the watch has found, in a sentence each."""

from models.drift.words import date
from models.schema.drift_event import DriftEvent
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
    return _week(found) if found.state == "mature" else None


def _request(request: RetrainRequest) -> str:
    since = "" if request.changed_at is None else f" since {date(request.changed_at)}"
    again = "a retrain is asked for" if request.number == 1 else "a retrain is asked for again"
    return f"{again}, {date(request.as_of)}: {request.frauds_since_change} known frauds{since} can be learned from"


def _week(week: Performance) -> str:
    first, last = date(week.from_day * DAY_MS), date((week.to_day - 1) * DAY_MS)
    return (
        f"labels of {first} to {last} have matured: {week.model_version} found {_percent(week.figures.recall)} of "
        f"{week.frauds} frauds, {_percent(week.figures.precision)} of what it flagged was fraud"
    )


def _percent(figure: Figure) -> str:
    return "?" if figure.value is None else f"{figure.value:.0%}"
