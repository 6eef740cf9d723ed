"""What the keeper shows to Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class KeeperGauges:
    """The metrics of one keeper.

    Parameters
    ----------
    registry: shared with the rest of the process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.active = Gauge(
            "fraudstream_profile_keeper_active", "1 while this process keeps the profiles, by lease", registry=registry
        )
        self.rows = Counter("fraudstream_profile_rows", "Feature rows counted into profiles", registry=registry)
        self.repeated = Counter(
            "fraudstream_profile_rows_repeated", "Feature rows dropped by the reader's rule", registry=registry
        )
        self.labels = Counter("fraudstream_profile_labels", "Label statements counted into profiles", registry=registry)
        self.dead_letters = Counter(
            "fraudstream_profile_dead_letters",
            "Records that could not be decoded, by topic",
            ["topic"],
            registry=registry,
        )
        self.steps = Counter("fraudstream_profile_steps", "Steps of profiles published", registry=registry)
        self.profiles = Counter(
            "fraudstream_profiles_published", "Terminal profiles published, with those removed", registry=registry
        )
        self.as_of = Gauge(
            "fraudstream_profiles_published_timestamp_seconds",
            "Event time of the last step published, as Unix time",
            registry=registry,
        )
        self.checkpoints = Counter(
            "fraudstream_profile_checkpoints", "Checkpoints of the keeper written", registry=registry
        )
        self.checkpoint_bytes = Gauge(
            "fraudstream_profile_checkpoint_bytes", "Size of the keeper's last checkpoint", registry=registry
        )

    def see_step(self, as_of: int, profiles: int = 0, steps: int = 1) -> None:
        """Take note of a step that was published."""
        self.as_of.set(as_of / 1000)
        self.steps.inc(steps)
        self.profiles.inc(profiles)

    def see_checkpoint(self, size_bytes: int) -> None:
        """Take note of a checkpoint that was written."""
        self.checkpoints.inc()
        self.checkpoint_bytes.set(size_bytes)
