"""An event of the drift stream in words: what, since when, how far, and why one should believe it."""

from datetime import UTC, datetime
from typing import Final

from models.schema.drift_event import DriftEvent, Evidence
from models.schema.drift_statistics import DriftStatistics, FeatureStatistics
from models.schema.retrain_request import RetrainRequest

_INDENT: Final = " " * 22
_LARGE: Final = 1_000
"""From here on figures are written in full, without decimals."""
_FARTHEST: Final = 3
"""Features of a day that are told."""
_SHORT: Final = 8
"""Characters of an id that people tell incidents apart by."""


def story(record: DriftEvent | RetrainRequest | DriftStatistics) -> list[str]:
    """Return the lines: date, level and sentence, then what is behind it."""
    if isinstance(record, DriftEvent):
        return _event(record)
    if isinstance(record, DriftStatistics):
        return _statistics(record)
    return _request(record)


def _event(event: DriftEvent) -> list[str]:
    days = "day" if event.window_days == 1 else "days"
    about = [
        f"since {_date(event.since)}",
        f"over {event.window_days} {days}",
        f"model {event.model_version}",
        *([f"incident {event.incident[:_SHORT]}"] if event.incident else []),
    ]
    return [
        _first(event.as_of, event.level, event.summary),
        _INDENT + " · ".join(about),
        *(_INDENT + _evidence(one) for one in event.evidence),
        *([f"{_INDENT}compared with {event.reference}"] if event.evidence else []),
    ]


def _statistics(day: DriftStatistics) -> list[str]:
    known = [(one.stability_index, one) for one in day.features if one.stability_index is not None]
    known.sort(key=lambda pair: -pair[0] / max(pair[1].stability_limit, 1e-12))
    farthest = ", ".join(_index(index, one) for index, one in known[:_FARTHEST])
    said = f"stability index of a week: {farthest}" if known else f"no week yet: {day.window_days} days of the model"
    return [
        _first(day.as_of, "computed", said),
        f"{_INDENT}model {day.model_version} · {day.rows:,} transactions · {len(day.features)} features",
    ]


def _index(index: float, one: FeatureStatistics) -> str:
    return f"{one.feature} {_figure(index)} of {_figure(one.stability_limit)}"


def _evidence(one: Evidence) -> str:
    figures = f"{_figure(one.observed)} where {_figure(one.expected)} is usual ({one.unit})"
    return f"- {one.feature}, {one.where}: {figures}; {_figure(one.statistic)} against a limit of {_figure(one.limit)}"


def _request(request: RetrainRequest) -> list[str]:
    if request.incident is not None and request.changed_at is not None:
        what = f"request {request.number} of incident {request.incident[:_SHORT]}: {request.reason}"
        learnt = f"{request.frauds_since_change} matured frauds since {_date(request.changed_at)} to learn from"
        return [
            _first(request.as_of, "retrain", what),
            f"{_INDENT}{learnt} · replaces {request.model_version} · asked by {request.actor}",
        ]
    cause = "on schedule" if request.cause == "schedule" else "by a person"
    return [
        _first(request.as_of, "retrain", f"asked for {cause}: {request.reason}"),
        f"{_INDENT}replaces {request.model_version} · asked by {request.actor}",
    ]


def _first(as_of: int, level: str, sentence: str) -> str:
    return f"{_date(as_of)}  {level.upper():<8}  {sentence}"


def _figure(value: float) -> str:
    """Enough digits to compare by.

    Examples
    --------
    >>> [_figure(value) for value in (1234.0, 23.0, 6.81, 0.0123)]
    ['1,234', '23', '6.81', '0.0123']
    """
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.3g}"


def _date(event_time: int) -> str:
    # As models.drift.words has it, which takes seconds to import.
    return datetime.fromtimestamp(event_time / 1000, UTC).date().isoformat()
