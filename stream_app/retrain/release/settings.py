"""What the release loop is started with."""

from dataclasses import dataclass, field

from models.release.plan import ReleasePlan
from models.schema.topics import TopicNames


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """Settings of the release loop of one process."""

    broker: str
    """Kafka's address, HOST:PORT."""
    redis_url: str = field(repr=False)
    """Redis' address."""
    holder: str
    """Name of this process in the lease."""
    topics: TopicNames = field(default_factory=TopicNames)
    """Names of the topics."""
    redis_prefix: str = "fraudstream:"
    """What all keys in Redis begin with."""
    plan: ReleasePlan = field(default_factory=ReleasePlan)
    """How long stages last."""
    lease_s: float = 10.0
    """How long the lease outlives its holder: the longest time without a release loop after a crash."""
    read_s: float = 0.1
    """How long a turn waits for rows: with the checks a bad model is acted on within two tenths of a second of the row
    that gives it away."""
    judge_s: float = 1.0
    """Rows are judged whenever they have grown by a twentieth, and after this time in any case."""
