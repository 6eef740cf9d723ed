"""What the archive shows to Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class ArchiveGauges:
    """The metrics of one archiver, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.active = Gauge(
            "fraudstream_archive_active", "1 while this process holds the lease", registry=self.registry
        )
        self.rows = Counter("fraudstream_archive_rows", "Rows committed", ["table"], registry=self.registry)
        self.dead_letters = Counter(
            "fraudstream_archive_dead_letters", "Records that could not be decoded", ["topic"], registry=self.registry
        )
        self.commit_seconds = Histogram(
            "fraudstream_archive_commit_seconds", "Time that one commit of all tables took", registry=self.registry
        )
        self.lag = Gauge("fraudstream_archive_lag_records", "Records not read yet", registry=self.registry)
        self.watermark = Gauge(
            "fraudstream_archive_watermark_seconds",
            "Event time that the tables are complete up to",
            registry=self.registry,
        )
        self.compacted = Counter(
            "fraudstream_archive_files_compacted",
            "Small files written into larger ones",
            ["table"],
            registry=self.registry,
        )
