"""What the agents of the history show to Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from models.schema.drift_event import DriftEvent
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.watch.history.announcement import Announcement

_SECONDS = (0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


class HistoryGauges:
    """The metrics of both agents.

    Parameters
    ----------
    registry: shared with the rest of the process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        agent = ["agent"]
        self.active = Gauge("fraudstream_history_active", "1 while this process holds the lease", registry=registry)
        self.closed = Gauge(
            "fraudstream_history_closed_seconds", "Event time up to which days were handled", agent, registry=registry
        )
        self.lag = Gauge(
            "fraudstream_history_lag_days", "Event days that are closed and not handled", agent, registry=registry
        )
        self.closing_seconds = Histogram(
            "fraudstream_history_closing_seconds",
            "Time that one event day took, from its rows to its closing",
            agent,
            buckets=_SECONDS,
            registry=registry,
        )
        self.performance = Counter("fraudstream_performance_records", "Weeks published", ["state"], registry=registry)
        self.drift = Counter(
            "fraudstream_drift_events", "Warnings, alarms and recoveries", ["level", "kind"], registry=registry
        )
        self.requests = Counter("fraudstream_retrain_requests", "Retrains asked for", ["cause"], registry=registry)

    def see_sent(self, announcements: Iterable[Announcement]) -> None:
        """Take note of what was published."""
        for announcement in announcements:
            record = announcement.record
            if isinstance(record, Performance):
                self.performance.labels(record.state).inc()
            elif isinstance(record, DriftEvent):
                self.drift.labels(record.level, record.kind).inc()
            elif isinstance(record, RetrainRequest):
                self.requests.labels(record.cause).inc()

    def see_closing(self, agent: str, day: int, behind_days: int, took_s: float) -> None:
        """Take note of a day that was handled."""
        self.closing_seconds.labels(agent).observe(took_s)
        self.see_position(agent, day, behind_days)

    def see_position(self, agent: str, day: int, behind_days: int) -> None:
        """Take note of the last day handled, and how many closed ones are left."""
        self.closed.labels(agent).set((day + 1) * DAY_MS / 1000)
        self.lag.labels(agent).set(behind_days)
