"""What the retrainer shows to Prometheus."""

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram

from models.release.state import ReleaseState, Stage

STEPS: Final = ("standby", "idle", "taken", "pinned", "trained", "registered")
_SECONDS: Final = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)


class RetrainGauges:
    """The metrics of one retrainer, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.active = Gauge(
            "fraudstream_retrain_active",
            "1 while this process answers retrain requests, by lease",
            registry=self.registry,
        )
        self.step = Enum(
            "fraudstream_retrain_step",
            "What was last done for the request at hand",
            states=list(STEPS),
            registry=self.registry,
        )
        self.requests = Counter(
            "fraudstream_retrain_requests_taken", "Retrain requests taken, by cause", ["cause"], registry=self.registry
        )
        self.open_requests = Gauge(
            "fraudstream_retrain_open_requests", "Retrain requests that are not done, by last step", ["step"],
            registry=self.registry,
        )  # fmt: skip
        self.verdicts = Counter(
            "fraudstream_retrain_verdicts", "Verdicts of the gate, by verdict", ["verdict"], registry=self.registry
        )
        self.failures = Counter(
            "fraudstream_retrain_failures", "Tries of a retrain request that failed", registry=self.registry
        )
        self.dead_letters = Counter(
            "fraudstream_retrain_dead_letters",
            "Retrain requests given up, which became dead letters",
            registry=self.registry,
        )
        self.training_seconds = Histogram(
            "fraudstream_retrain_training_seconds",
            "Time that one training took",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.releasing = Gauge(
            "fraudstream_release_active", "1 while this process runs the release loop, by lease", registry=self.registry
        )
        self.stage = Enum(
            "fraudstream_release_stage",
            "What the release loop does with a model; idle in a process that stands by",
            states=list(get_args(Stage)),
            registry=self.registry,
        )
        self.frozen = Gauge(
            "fraudstream_release_frozen",
            "1 while nothing is promoted by itself, after a roll-back; 0 in a process that stands by",
            registry=self.registry,
        )
        self.compared = Gauge(
            "fraudstream_release_compared_rows",
            "Transactions that both models of the release under way have scored",
            registry=self.registry,
        )
        self.safe_at = Gauge(
            "fraudstream_safekeeping_timestamp_seconds",
            "When all of the audit was last in Kafka, its head signed, and every model in the archive, as Unix time",
            registry=self.registry,
        )

    def see_release(self, *, active: bool, state: ReleaseState | None) -> None:
        """Take note of a turn of the release loop; the state is None where another process is the active one."""
        self.releasing.set(active)
        self.stage.state("idle" if state is None else state.stage)
        self.frozen.set(state is not None and state.frozen is not None)
        self.compared.set(0 if state is None else state.rows)
