"""What a scoring worker is told at its start."""

from dataclasses import dataclass, field
from pathlib import Path

from models.schema.topics import TopicNames


@dataclass(frozen=True, slots=True)
class ScoringSettings:
    """One worker's settings; every figure that was tuned says what it was measured with."""

    broker: str
    """Bootstrap address of Kafka, `host:port[,host:port]`."""
    redis_url: str = field(repr=False)
    """Where the registry and the worker's status live."""
    data_folder: Path
    """Local folder for the copy of the last verified model and for Faust's own files."""
    checkpoints: str
    """Folder or object-store URL of the checkpoints; shared by all workers of the group."""
    allowed_signers: Path
    """Folder of public keys whose models are served."""
    topics: TopicNames = field(default_factory=TopicNames)
    """Names of the topics."""
    redis_prefix: str = "fraudstream:"
    """Prefix of every key in Redis."""
    group: str = "fraudstream-score"
    """Consumer group; workers of one group share the partitions."""
    feature_set: str | None = None
    """Version of the feature set to compute; None takes the champion's."""
    rates_file: Path | None = None
    """JSON file of the reporting currency and its exchange rates; None takes the illustrative ones of the package."""
    session_timeout_s: float = 6.0
    """How long a silent worker keeps its partitions; the broker's default group limits allow no less than 6 s."""
    batch_records: int = 2000
    """Most records scored at once: above it throughput no longer grows, while the longest batch stays under 50 ms."""
    fetch_wait_ms: int = 100
    """How long the broker may hold a fetch for the first byte; arriving records are answered at once."""
    feature_log_rows: int = 256
    """Feature rows from which on a message goes out; those of smaller batches wait for each other."""
    feature_log_wait_s: float = 0.05
    """How long the first of them waits at most; the next owner computes again what a crash keeps from the log."""
    commit_interval_s: float = 0.5
    """Time between offset commits."""
    checkpoint_interval_s: float = 5.0
    """Time between increments of the card state; state is replayed about five times as fast as it is scored."""
    checkpoint_increments: int = 20
    """Increments after which a whole checkpoint is written again."""
    degraded_after_s: float = 60.0
    """Silence of the registry after which scores are marked degraded."""
    overdue_after_s: float = 15.0
    """Age of a transaction, since Kafka has it, from which on it is scored without reason codes and marked degraded,
    while more wait behind it: longer than a take-over with its catching up, so that it means too little capacity."""
    model_poll_s: float = 1.0
    """Time between looks at the champion alias where no message about its move came."""
    metadata_max_age_ms: int = 10_000
    """How soon added partitions are noticed."""
    reasons: int = 4
    """Reason codes of a flagged transaction."""
    control_share: float = 0.05
    """Chance of a decline to pass, as the control group: without one nobody learns what the declined were."""
    control_amount_cap: int = 250
    """Largest amount that may pass, in whole units of the reporting currency."""
    control_day_cap: int = 100
    """Most rows of the control group in an event day, all partitions together. With the cap of the amount it bounds
    what a day can lose, however many declines an attack draws; 100 are 14 times the fewest that a week needs."""
    hard_block: float | None = None
    """Score from which on nothing may pass; None knows no such score."""
    control_seed: Path | None = None
    """File of the draw's secret key, the same for all workers; None makes one in the data folder."""
    accept_cold_state: bool = False
    """Open a partition whose card history cannot be rebuilt; its scores are marked degraded."""
    new_epoch: str | None = None
    """Why the scores of another or a shortened input topic may be continued under a new epoch; None refuses."""
    web_host: str = "127.0.0.1"
    """Address of /healthz, /readyz and /metrics."""
    web_port: int | None = None
    """Port of the same; None serves none."""
    actor: str = "unknown"
    """Who started the worker, for the audit."""
