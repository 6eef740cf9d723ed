"""What the archive shows to Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Up to the time after which a turn counts as stuck."""


class ArchiveGauges:
    """The metrics of one archiver, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.active = Gauge(
            "fraudstream_archive_active", "1 while this process archives, by lease", registry=self.registry
        )
        self.rows = Counter("fraudstream_archive_rows", "Rows committed, by table", ["table"], registry=self.registry)
        self.dead_letters = Counter(
            "fraudstream_archive_dead_letters",
            "Records that could not be decoded, by topic",
            ["topic"],
            registry=self.registry,
        )
        self.commit_seconds = Histogram(
            "fraudstream_archive_commit_seconds",
            "Time that one commit of all tables took",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.lag = Gauge(
            "fraudstream_archive_lag_records", "Records of the four topics not read yet", registry=self.registry
        )
        self.watermark = Gauge(
            "fraudstream_archive_watermark_timestamp_seconds",
            "Event time that the tables are complete up to, as Unix time",
            registry=self.registry,
        )
        self.compacted = Counter(
            "fraudstream_archive_files_compacted",
            "Small files written into larger ones, by table",
            ["table"],
            registry=self.registry,
        )
