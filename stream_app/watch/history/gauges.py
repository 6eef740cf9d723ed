"""What the agents of the history show to Prometheus."""

import math
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from models.schema.drift_event import DriftEvent
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.watch.history.announcement import Announcement

MEASURES = ("precision", "recall", "average_precision", "auc", "value_detection_rate", "calibration_error")
_SECONDS = (0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


class HistoryGauges:
    """The metrics of both agents.

    Parameters
    ----------
    registry: shared with the rest of the process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        agent = ["agent"]
        self.active = Gauge(
            "fraudstream_history_active", "1 while this process watches the history, by lease", registry=registry
        )
        self.closed = Gauge(
            "fraudstream_history_closed_timestamp_seconds",
            "Event time up to which days were handled, as Unix time",
            agent,
            registry=registry,
        )
        self.lag = Gauge(
            "fraudstream_history_lag_seconds",
            "Event time of days that the archive has closed and this agent has not handled",
            agent,
            registry=registry,
        )
        self.closing_seconds = Histogram(
            "fraudstream_history_closing_seconds",
            "Time that an agent took for one event day, from its rows to its closing",
            agent,
            buckets=_SECONDS,
            registry=registry,
        )
        self.performance = Counter(
            "fraudstream_performance_records", "Weekly figures published, by state", ["state"], registry=registry
        )
        self.drift = Counter(
            "fraudstream_drift_events",
            "Warnings, alarms and recoveries published, by what moved",
            ["level", "kind"],
            registry=registry,
        )
        self.latest = Gauge(
            "fraudstream_performance_ratio",
            "What the last mature week measured, of the model with most of its rows",
            ["measure"],
            registry=registry,
        )
        self.latest_until = Gauge(
            "fraudstream_performance_week_end_timestamp_seconds",
            "Event time at which that week ended, as Unix time",
            registry=registry,
        )
        self._latest = (0, 0)
        self.requests = Counter(
            "fraudstream_retrain_requests", "Retrains asked for, by cause", ["cause"], registry=registry
        )

    def see_sent(self, announcements: Iterable[Announcement]) -> None:
        """Take note of what was published."""
        for announcement in announcements:
            record = announcement.record
            if isinstance(record, Performance):
                self.performance.labels(record.state).inc()
                self._see_week(record)
            elif isinstance(record, DriftEvent):
                self.drift.labels(record.level, record.kind).inc()
            elif isinstance(record, RetrainRequest):
                self.requests.labels(record.cause).inc()

    def _see_week(self, week: Performance) -> None:
        if week.state == "provisional" or (week.week, week.counted_rows) < self._latest:
            return
        self._latest = week.week, week.counted_rows
        for measure in MEASURES:
            value = getattr(week.figures, measure).value
            self.latest.labels(measure).set(math.nan if value is None else value)
        self.latest.labels("alert_rate").set(math.nan if week.alert_rate is None else week.alert_rate)
        self.latest_until.set(week.to_day * DAY_MS / 1000)

    def see_closing(self, agent: str, day: int, behind_days: int, took_s: float) -> None:
        """Take note of a day that was handled."""
        self.closing_seconds.labels(agent).observe(took_s)
        self.see_position(agent, day, behind_days)

    def see_position(self, agent: str, day: int, behind_days: int) -> None:
        """Take note of the last day handled, and how many closed ones are left."""
        self.closed.labels(agent).set((day + 1) * DAY_MS / 1000)
        self.lag.labels(agent).set(behind_days * DAY_MS / 1000)
