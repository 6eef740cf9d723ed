"""What the archive is started with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.schema.topics import TopicNames


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Settings of one `fraudstream archive` process."""

    broker: str
    """Kafka's address, HOST:PORT."""
    redis_url: str = field(repr=False)
    """Redis' address."""
    url: str
    """Folder or object-store URL of the tables."""
    archiver: str
    """Name of this process in the lease and in logs."""
    storage_options: Mapping[str, str] = field(default_factory=dict)
    """What the object store asks for."""
    topics: TopicNames = field(default_factory=TopicNames)
    """Names of the topics."""
    redis_prefix: str = "fraudstream:"
    """What all keys in Redis begin with."""
    web_host: str = "127.0.0.1"
    """Address of /healthz, /readyz and /metrics."""
    web_port: int | None = None
    """Port of the same; None serves nothing."""
    commit_every_s: float = 30.0
    """Wall time between commits: each writes a file per table and event day, so fewer are better to read."""
    commit_rows: int = 500_000
    """So many buffered rows are committed at once: about 400 MB, most of it feature values."""
    idle_after_s: float = 10.0
    """A partition that brought nothing for so long, while another did, no longer holds the watermark back."""
    lease_s: float = 10.0
    """How long the lease outlives its holder: the longest time without an archiver after a crash."""
    small_files: int = 16
    """A closed event day with more files than these in a table is compacted."""
    keep_versions_days: int = 30
    """For so long a commit that was announced can be read as it was."""
    accept_loss: bool = False
    """Whether to go on behind records that the topics no longer have."""
