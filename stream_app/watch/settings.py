"""What a watch process is started with."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from models.schema.topics import DAY_MS, TopicNames


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Settings of one `fraudstream watch` process."""

    broker: str
    """Kafka's address, HOST:PORT."""
    redis_url: str = field(repr=False)
    """Redis' address."""
    checkpoint_url: str
    """Folder or object-store URL that all watch processes share."""
    keeper: str
    """Name of this process in the lease, in markers and in logs."""
    topics: TopicNames = field(default_factory=TopicNames)
    """Names of the topics."""
    redis_prefix: str = "fraudstream:"
    """What all keys in Redis begin with."""
    web_host: str = "127.0.0.1"
    """Address of /healthz, /readyz and /metrics."""
    web_port: int | None = None
    """Port of the same; None serves nothing."""
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
    archive_url: str | None = None
    """Folder or object-store URL of the archive's tables; None leaves the history alone."""
    storage_options: Mapping[str, str] = field(default_factory=dict)
    """What the archive's object store asks for."""
    history_from_day: int | None = None
    """First event day that is measured, as days since 1970; None takes the archive's first."""
    retrain_every_days: int | None = None
    """Period of scheduled retrains in event days; None asks for none."""

    @property
    def inputs(self) -> tuple[str, str, str]:
        """Topics that are read."""
        return self.topics.features, self.topics.labels, self.topics.clock

    @property
    def maturity_ms(self) -> int:
        """The maturity in milliseconds."""
        return round(self.maturity_days * DAY_MS)

    @property
    def whole_maturity_days(self) -> int:
        """The maturity in whole event days: the history looks at days as a whole."""
        return math.ceil(self.maturity_days)
