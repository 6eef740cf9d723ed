"""Looks at everything once a second and tells the feed."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import redis
from confluent_kafka import KafkaException

from models.access.redis_access import redis_client
from models.alias import Alias
from models.errors import FraudstreamError
from models.registry import Registry
from stream_app.console.feed.feed import TICK, Feed
from stream_app.console.now.input_positions import InputPositions
from stream_app.console.now.recent import Recent
from stream_app.console.now.tick import tick_of
from stream_app.console.now.vitals import PartitionVitals, Vitals
from stream_app.console.settings import ConsoleSettings
from stream_app.faust_app import end_process
from stream_app.worker_status import WorkerStatus, read_workers

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0


class Pulse:
    """One thread.

    Parameters
    ----------
    settings: where to look.
    feed: what is read anyway, and who is told.
    registry: which models serve.
    """

    def __init__(self, settings: ConsoleSettings, feed: Feed, registry: Registry) -> None:
        self._settings, self._feed, self._registry = settings, feed, registry
        self._recent = Recent()
        self._positions: InputPositions | None = None
        self._redis = redis_client(settings.redis_url)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        due_s = time.monotonic()
        try:
            while not self._stopping.wait(max(0.0, due_s - time.monotonic())):
                self._feed.tell(TICK, tick_of(self._vitals()))
                due_s = max(due_s + EVERY_S, time.monotonic())
        except Exception as error:  # noqa: BLE001  pages that stand still must not look alive
            end_process(error)
        finally:
            if self._positions is not None:
                self._positions.close()
            self._redis.close()

    def _vitals(self) -> Vitals:
        now_s, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        self._recent.see(now_s, self._feed.score_counts)
        partitions = self._partitions(now_s, now_ms)
        workers, aliases = self._in_redis()
        problems = [] if self._feed.problem is None else [self._feed.problem]
        return Vitals(now_ms, self._recent.traffic(now_s), partitions, workers, aliases, problems)

    def _partitions(self, now_s: float, now_ms: int) -> list[PartitionVitals]:
        reader, settings = self._feed.score_reader, self._settings
        if reader is None:
            return []
        try:
            if self._positions is None:
                self._positions = InputPositions(settings.broker, settings.topics.transactions, settings.score_group)
            partitions, latencies = self._positions.partitions(reader.partitions, dict(reader.last), now_ms)
        except (FraudstreamError, KafkaException) as error:
            self._feed.hindered("kafka", f"Kafka does not answer: {' '.join(str(error).split())}")
            return []
        self._feed.hindered("kafka", None)
        for latency_ms in latencies:
            self._recent.add_latency(now_s, latency_ms)
        return partitions

    def _in_redis(self) -> tuple[list[WorkerStatus] | None, Mapping[str, Alias]]:
        try:
            found = read_workers(self._redis, self._settings.redis_prefix), self._registry.aliases()
        except (FraudstreamError, redis.RedisError, OSError) as error:
            self._feed.hindered("redis", f"Redis does not answer: {' '.join(str(error).split())}")
            return None, {}
        self._feed.hindered("redis", None)
        return found


def last_tick(feed: Feed) -> Mapping[str, Any] | None:
    """Return the last look, None before the first."""
    found = feed.journal(TICK).latest(1)
    return found[0].data if found else None
