"""What the scores lead to expect of the days behind the last measured week; labels will tell."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.schema.drift_statistics import DriftStatistics
from models.schema.topics import DAY_MS
from stream_app.console.health.records import WEEK_DAYS, HealthRecords


@dataclass(frozen=True, slots=True)
class Estimate:
    """A week that ends with a closed day.

    Attributes
    ----------
    at_ms: the midnight at its end, event time.
    figures: by name what the scores promise of the week; None where there is nothing to tell from.
    alert_rate: share of the week's transactions that were flagged; known, not estimated.
    """

    at_ms: int
    figures: dict[str, float | None]
    alert_rate: float | None


def estimates_of(records: HealthRecords) -> list[Estimate]:
    """Return a week for each closed day behind the last measured week, in order.

    The days of a week may be of several versions: each version's scores are taken by its own calibration. Their common
    average precision cannot be told from this, so it is that of the version with most transactions on the last day.
    """
    days = records.days
    after = [at for at, day in enumerate(days) if (day[0].event_day + 1) * DAY_MS > records.measured_until_ms]
    return [_estimate(_week(days, at)) for at in after]


def _week(days: Sequence[list[DriftStatistics]], at: int) -> list[list[DriftStatistics]]:
    last = days[at][0].event_day
    return [day for day in days[max(0, at - WEEK_DAYS + 1) : at + 1] if day[0].event_day > last - WEEK_DAYS]


def _estimate(week: list[list[DriftStatistics]]) -> Estimate:
    parts = [record for day in week for record in day]
    frauds = sum(one.estimated.frauds for one in parts)
    caught = sum(one.estimated.frauds_flagged for one in parts)
    alerts, rows = sum(one.alerts for one in parts), sum(one.rows for one in parts)
    figures = {
        "recall": caught / frauds if frauds else None,
        "precision": caught / alerts if alerts else None,
        "average_precision": week[-1][0].estimated.average_precision,
    }
    return Estimate(week[-1][0].as_of, figures, alerts / rows if rows else None)
