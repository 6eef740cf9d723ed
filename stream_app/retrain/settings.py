"""What the retrain worker is started with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.gate.limits import GateLimits
from models.release.plan import ReleasePlan
from models.retraining.plan import RetrainPlan
from models.schema.topics import TopicNames
from stream_app.retrain.release.settings import ReleaseSettings


@dataclass(frozen=True, slots=True)
class RetrainSettings:
    """Settings of one `fraudstream retrain` process."""

    broker: str
    """Kafka's address, HOST:PORT."""
    redis_url: str = field(repr=False)
    """Redis' address."""
    archive_url: str
    """Folder or object-store URL of the archive's tables."""
    worker: str
    """Name of this process in the leases and in logs."""
    folder: Path
    """Where a training leaves its log and its outcome."""
    signing_key: Path
    """Private key that signs new models."""
    allowed_signers: Path
    """Folder of the public keys whose models count."""
    code_commit: str = ""
    """The code that runs, for the manifests."""
    storage_options: Mapping[str, str] = field(default_factory=dict)
    """What the archive's object store asks for."""
    topics: TopicNames = field(default_factory=TopicNames)
    """Names of the topics."""
    redis_prefix: str = "fraudstream:"
    """What all keys in Redis begin with."""
    web_host: str = "127.0.0.1"
    """Address of /healthz, /readyz and /metrics."""
    web_port: int | None = None
    """Port of the same; None serves nothing."""
    plan: RetrainPlan = field(default_factory=RetrainPlan)
    """What is tried."""
    limits: GateLimits = field(default_factory=GateLimits)
    """What the gate asks for."""
    release_plan: ReleasePlan = field(default_factory=ReleasePlan)
    """How long the stages of a release last."""
    maturity_days: float = 7.0
    """Event days until labels count as complete."""
    train_from: int | None = None
    """First event day that is trained on; None is the archive's first one behind the warm-up."""
    most_tries: int = 14
    """How often an undecided request is tried: a week to mature and a week of more frauds."""
    most_failures: int = 3
    """How often a try that fails is begun again before its request becomes a dead letter."""
    retry_s: float = 30.0
    """Wait before a failed try is begun again; it doubles each time."""
    training_s: float = 3600.0
    """A training that takes longer is stuck, and killed: a year of a large bank takes minutes."""
    lease_s: float = 10.0
    """How long the lease outlives its holder: the longest time without a retrainer after a crash."""
    poll_s: float = 0.2
    """How long a turn waits for requests."""

    @property
    def release(self) -> ReleaseSettings:
        """The release loop's."""
        return ReleaseSettings(
            self.broker,
            self.redis_url,
            self.worker,
            self.topics,
            self.redis_prefix,
            plan=self.release_plan,
            lease_s=self.lease_s,
        )
