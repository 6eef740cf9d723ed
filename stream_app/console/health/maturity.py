"""How much of the truth is in: the expected share of fraud labels that are known, along event time."""

from dataclasses import dataclass

import numpy as np

from models.metrics.maturity import known_share
from models.schema.topics import DAY_MS
from stream_app.console.health.accuracy import Week
from stream_app.console.health.records import HealthRecords


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of event time.

    Attributes
    ----------
    known: expected share of its fraud labels that are known, 0 to 1.
    measured: whether figures rest on it.
    """

    from_ms: int
    to_ms: int
    known: float
    measured: bool


def stretches_of(records: HealthRecords, weeks: list[Week]) -> list[Stretch]:
    """Return the weeks with figures, as known when these were stated, and each closed day behind them, as known now."""
    settled = [week for week in weeks if week.champion and week.state != "provisional"]
    measured = [Stretch(week.from_ms, week.to_ms, week.maturity, measured=True) for week in settled]
    first = records.measured_until_ms // DAY_MS
    if records.days:
        first = max(first, records.days[0][0].event_day)
    days = range(first, records.now_ms // DAY_MS) if records.days else range(0)
    return [*measured, *(Stretch(day * DAY_MS, (day + 1) * DAY_MS, _known(day, records.now_ms), False) for day in days)]


def _known(day: int, now_ms: int) -> float:
    """By the default curves, which the watch states its weeks' maturity by as well."""
    return float(known_share(np.array([now_ms / DAY_MS - day - 0.5]))[0])
