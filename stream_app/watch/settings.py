"""What the profile keeper is started with."""

from dataclasses import dataclass, field

from models.schema.topics import DAY_MS, TopicNames


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Settings of one `fraudstream watch` process."""

    broker: str
    """Kafka's address, HOST:PORT."""
    redis_url: str
    """Redis' address."""
    checkpoint_url: str
    """Folder or object-store URL that all keepers share."""
    keeper: str
    """Name of this process in the lease, in markers and in logs."""
    topics: TopicNames = field(default_factory=TopicNames)
    """Names of the topics."""
    redis_prefix: str = "fraudstream:"
    """What all keys in Redis begin with."""
    web_port: int | None = None
    """Port of /healthz, /readyz and /metrics; None serves nothing."""
    maturity_days: float = 7.0
    """Age in event days at which a transaction without a label counts as genuine."""
    idle_after_s: float = 10.0
    """A partition that brought nothing for so long, while another did, no longer holds the event clock back."""
    lease_s: float = 10.0
    """How long the lease outlives its holder: the longest time without an active keeper after a crash."""
    checkpoint_every_s: float = 10.0
    """Wall time between checkpoints. A restart reads that much again, at far more than 40,000 events/s."""
    checkpoints_kept: int = 3
    """Older ones are removed; more than one, in case the newest turns out unreadable."""

    @property
    def inputs(self) -> tuple[str, str, str]:
        """Topics that are read."""
        return self.topics.features, self.topics.labels, self.topics.clock

    @property
    def maturity_ms(self) -> int:
        """The maturity in milliseconds."""
        return round(self.maturity_days * DAY_MS)
