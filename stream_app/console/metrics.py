"""What the console shows to Prometheus: requests, open pages, and what it reads."""

import time
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_app.console.feed.feed import Feed

STREAMS: Final = "/events"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_STATUSES: Final = ("2xx", "3xx", "4xx", "5xx")


class ConsoleMetrics:
    """The metrics of one console, in a registry of their own; an address is no label, for anybody may ask for any."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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
        self.open_pages = Gauge(
            "fraudstream_console_open_pages", "Pages that follow the feed now", registry=self.registry
        )
        for status in _STATUSES:
            self.requests.labels(status)

    def see_feed(self, feed: Feed) -> None:
        """Show what a feed reads as well; to be called once."""
        self.registry.register(FeedState(feed))


class FeedState(Collector):
    """What the feed has read, looked up when somebody asks.

    Parameters
    ----------
    feed: of the console.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def describe(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Name the metrics."""
        return self.collect()

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Look at the feed."""
        yield GaugeMetricFamily(
            "fraudstream_console_feed_up",
            "1 while everything that pages show is read",
            value=self._feed.problem is None,
        )
        entries = CounterMetricFamily(
            "fraudstream_console_feed_entries", "Entries taken into the feed, scores as a sample, by kind",
            labels=["kind"],
        )  # fmt: skip
        for kind in sorted(self._feed.kinds):
            entries.add_metric([kind], self._feed.journal(kind).number)
        yield entries
        yield CounterMetricFamily(
            "fraudstream_console_scores_written",
            "Scores that appeared since the console began, by their offsets",
            value=self._feed.score_counts.written,
        )
        undecodable = CounterMetricFamily(
            "fraudstream_console_undecodable", "Records left out of the feed, by topic", labels=["topic"]
        )
        for topic, count in sorted(self._feed.undecodable.items()):
            undecodable.add_metric([topic], count)
        yield undecodable


class Measured:
    """Counts what passes.

    Parameters
    ----------
    app: what answers.
    metrics: where it is counted.
    """

    def __init__(self, app: ASGIApp, metrics: ConsoleMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == STREAMS:
            with self._metrics.open_pages.track_inprogress():
                await self._app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s, status = time.perf_counter(), 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            self._metrics.request_seconds.observe(time.perf_counter() - began_s)
            self._metrics.requests.labels(f"{status // 100}xx").inc()
