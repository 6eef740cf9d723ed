"""What the retrainer shows to Prometheus."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram

STEPS: Final = ("standby", "idle", "taken", "pinned", "trained", "registered")
_MINUTES: Final = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)


class RetrainGauges:
    """The metrics of one retrainer, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.active = Gauge(
            "fraudstream_retrain_active", "1 while this process holds the lease", registry=self.registry
        )
        self.step = Enum(
            "fraudstream_retrain_step",
            "What was last done for the request at hand",
            states=list(STEPS),
            registry=self.registry,
        )
        self.requests = Counter(
            "fraudstream_retrain_requests_taken", "Requests taken", ["cause"], registry=self.registry
        )
        self.open_requests = Gauge(
            "fraudstream_retrain_open_requests", "Requests that are not done, by last step", ["step"],
            registry=self.registry,
        )  # fmt: skip
        self.verdicts = Counter(
            "fraudstream_retrain_verdicts", "Verdicts of the gate", ["verdict"], registry=self.registry
        )
        self.failures = Counter("fraudstream_retrain_failures", "Tries that failed", registry=self.registry)
        self.dead_letters = Counter(
            "fraudstream_retrain_dead_letters", "Requests that became dead letters", registry=self.registry
        )
        self.training_seconds = Histogram(
            "fraudstream_retrain_training_seconds", "Time that one try took", buckets=_MINUTES, registry=self.registry
        )
        self.releasing = Gauge(
            "fraudstream_release_active", "1 while this process holds the release loop's lease", registry=self.registry
        )
