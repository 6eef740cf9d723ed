"""What the console shows to Prometheus."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from stream_app.console.feed.feed import Feed

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class ConsoleGauges:
    """The metrics of one console, in a registry of their own."""

    def __init__(self, feed: Feed) -> None:
        self.registry = CollectorRegistry()
        self.open_pages = Gauge("fraudstream_console_open_pages", "Pages that follow the feed", registry=self.registry)
        self.sign_ins = Counter(
            "fraudstream_console_sign_ins",
            "People let in and kept out, by outcome",
            ["outcome"],
            registry=self.registry,
        )
        self.requests = Counter(
            "fraudstream_console_requests", "Requests answered, by class of the status", ["status"],
            registry=self.registry,
        )  # fmt: skip
        self.request_seconds = Histogram(
            "fraudstream_console_request_seconds",
            "Time until a request was answered, without those that stay open",
            buckets=_SECONDS,
            registry=self.registry,
        )
        reading = Gauge("fraudstream_console_feed_up", "1 while all topics are read", registry=self.registry)
        reading.set_function(lambda: float(feed.problem is None))
        self.registry.register(_FeedCounts(feed))

    def see_request(self, status: int, took_s: float) -> None:
        """Take note of a request that was answered."""
        self.requests.labels(f"{status // 100}xx").inc()
        self.request_seconds.observe(took_s)


class _FeedCounts(Collector):
    """Counted by the feed's threads anyway, read when Prometheus asks."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def collect(self) -> Iterator[Metric]:
        """Yield each metric."""
        counts = self._feed.score_counts
        scores = CounterMetricFamily(
            "fraudstream_console_scores", "Scores by what became of them: written, looked_at, told", labels=["part"]
        )
        for part in ("written", "looked_at", "told"):
            scores.add_metric([part], getattr(counts, part))
        yield scores
        left_out = CounterMetricFamily(
            "fraudstream_console_undecodable_records",
            "Records that were none of their topic, by topic",
            labels=["topic"],
        )
        for topic, count in dict(self._feed.undecodable).items():
            left_out.add_metric([topic], count)
        yield left_out
