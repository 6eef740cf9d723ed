"""The service behind the history's agents: waits for the lease, restores both, feeds them, closes all in order."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial

import faust
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from models.access.kafka_settings import aiokafka_settings
from models.access.redis_access import async_redis_client
from models.features.feature_set import DEFAULT, WARM_UP_DAYS
from models.metrics.ledger_settings import LedgerSettings
from models.registry import Registry
from models.schema.topics import DRIFT_EVENTS, DRIFT_STATISTICS, PERFORMANCE, RETRAIN_REQUESTS
from stream_app.checkpoints import CheckpointStore
from stream_app.lease import Lease
from stream_app.topic_admin import describe_topics
from stream_app.watch.dead_letters import DeadLetters
from stream_app.watch.history.archived_days import ArchivedDays
from stream_app.watch.history.closer import DayCloser
from stream_app.watch.history.closings import Closings
from stream_app.watch.history.commit import AnnouncedCommit
from stream_app.watch.history.commit_source import CommitSource
from stream_app.watch.history.drift import Drift
from stream_app.watch.history.feedback import Feedback
from stream_app.watch.history.gauges import HistoryGauges
from stream_app.watch.history.publisher import Publisher, published_ids
from stream_app.watch.history.references import References
from stream_app.watch.history.watcher import Watcher
from stream_app.watch.settings import WatchSettings

log = logging.getLogger(__name__)

FEEDBACK = "feedback"
DRIFT = "drift"
AGENTS = (FEEDBACK, DRIFT)
OUTPUTS = (PERFORMANCE, DRIFT_EVENTS, DRIFT_STATISTICS, RETRAIN_REQUESTS)
STANDBY_POLL_S = 0.5
STOP_S = 10.0
"""How long a stop waits for the days under way; one that does not end is taken again at the next start."""
STUCK_S = 600.0
"""A start reads up to 400 event days again; that is the longest thing there is."""

Put = Callable[[AnnouncedCommit], Coroutine[None, None, object]]


class HistoryService(faust.Service):
    """Owns the connections of the history's agents.

    Both get every announcement and the next one only when both are done with it, so a position holds for both.

    Parameters
    ----------
    settings: what the process was started with.
    registry: of the process's metrics.
    puts: by agent what hands it an announcement; the agent calls `handle`.
    end: ends the process with a reason.
    """

    def __init__(
        self,
        settings: WatchSettings,
        registry: CollectorRegistry,
        puts: Mapping[str, Put],
        end: Callable[[BaseException], None],
    ) -> None:
        self._settings = settings
        self._puts = puts
        self._end = end
        self._redis = async_redis_client(settings.redis_url)
        self._lease = Lease(self._redis, f"{settings.redis_prefix}history-watch", settings.keeper, settings.lease_s)
        self._gauges = HistoryGauges(registry)
        self._closers: dict[str, DayCloser] = {}
        self._source: CommitSource | None = None
        self._producer: AIOKafkaProducer | None = None
        self._done = {agent: asyncio.Event() for agent in AGENTS}
        self._busy_since_s: float | None = None
        self._finished = asyncio.Event()
        self._finished.set()
        super().__init__()

    async def on_stop(self) -> None:
        """Let the days under way finish, free the lease."""
        for closer in self._closers.values():
            closer.stop()
        try:
            await asyncio.wait_for(self._finished.wait(), STOP_S)
        except TimeoutError:
            log.warning("the event day under way did not finish within %g s: it is taken again", STOP_S)
        for connection in (self._source, self._producer):
            if connection is not None:
                await connection.stop()
        if self._lease.epoch:
            await self._lease.release()
        await self._redis.aclose()

    async def handle(self, agent: str, announced: AnnouncedCommit) -> None:
        """Let one agent act on an announcement; called by that agent."""
        try:
            await self._closers[agent].handle(announced)
        except BaseException as error:  # the process ends: nothing later may be published
            if not isinstance(error, asyncio.CancelledError):
                self._end(error)
            raise
        self._done[agent].set()

    @faust.Service.task
    async def _watch(self) -> None:
        self._finished.clear()
        try:
            await self._stand_by()
            if not self.should_stop:
                self._busy_since_s = time.monotonic()
                await self._open()
            while self._source is not None and not self.should_stop:
                self._busy_since_s = None
                for announced in await self._source.read():
                    self._busy_since_s = time.monotonic()
                    await self._feed(announced)
        except Exception as error:  # noqa: BLE001  the process ends; the next one carries on behind the last closing
            self._end(error)
        self._finished.set()

    @faust.Service.task
    async def _renew(self) -> None:
        try:
            while not self.should_stop:
                if self._lease.epoch:
                    await self._lease.renew()
                await self.sleep(self._lease.renew_every_s)
        except Exception as error:  # noqa: BLE001  the process ends; another may hold the lease
            self._end(error)

    async def _feed(self, announced: AnnouncedCommit) -> None:
        if self.should_stop:
            return
        for done in self._done.values():
            done.clear()
        for put in self._puts.values():
            await put(announced)
        for done in self._done.values():
            await done.wait()

    async def _stand_by(self) -> None:
        told = False
        while not self.should_stop and not await self._lease.acquire():
            if not told:
                log.info("standing by: another process watches the history")
                told = True
            await self.sleep(STANDBY_POLL_S)

    async def _open(self) -> None:
        settings, topics = self._settings, self._settings.topics
        described = await asyncio.to_thread(describe_topics, settings.broker, [topics.archive_commits])
        self._producer = AIOKafkaProducer(**aiokafka_settings(settings.broker), enable_idempotence=True, linger_ms=0)
        await self._producer.start()
        ids = await published_ids(settings.broker, [topics.of(name) for name in OUTPUTS])
        publisher = Publisher(self._producer, topics, self._lease, ids)
        closers = self._make_closers(publisher, described[topics.archive_commits].topic_id)
        await asyncio.gather(*(closer.restore() for closer in closers.values()))
        offsets = [closer.next_offset for closer in closers.values()]
        source = CommitSource(settings.broker, topics.archive_commits, DeadLetters(self._producer, topics.dead_letter))
        await source.start(None if None in offsets else min(offset for offset in offsets if offset is not None))
        self._closers, self._source = closers, source
        self._gauges.active.set(1)
        log.info("watching the history in %s as watcher %d", settings.archive_url, self._lease.epoch)

    def _make_closers(self, publisher: Publisher, topic_id: str) -> dict[str, DayCloser]:
        settings = self._settings
        assert settings.archive_url is not None
        references = References(Registry(settings.redis_url, settings.redis_prefix))
        store = CheckpointStore(settings.checkpoint_url)
        watchers: dict[str, Watcher] = {
            FEEDBACK: Feedback(
                LedgerSettings(
                    maturity_days=settings.whole_maturity_days,
                    feature_names=DEFAULT.names,
                    calibration_of=references.calibration,
                ),
                settings.history_from_day,
            ),
            DRIFT: Drift(references.of, settings.whole_maturity_days, settings.retrain_every_days),
        }
        return {
            agent: DayCloser(
                agent,
                watcher,
                Closings(store, f"history/{settings.topics.archive_commits}/{agent}"),
                partial(ArchivedDays, settings.archive_url, settings.storage_options),
                publisher,
                self._lease,
                self._gauges,
                topic_id,
                settings.history_from_day,
                WARM_UP_DAYS if agent == DRIFT else 0,
            )
            for agent, watcher in watchers.items()
        }

    def status(self) -> dict[str, object]:
        """What it is doing, for the web pages."""
        if self._source is None:
            return {"state": "restoring" if self._lease.epoch else "standby"}
        closed = {agent: closer.last.day for agent, closer in self._closers.items() if closer.last is not None}
        return {"state": "active", "watcher_epoch": self._lease.epoch, "closed_days": closed}

    def unhealthy(self) -> str | None:
        """Why the process should be restarted, if it should."""
        busy_s = 0.0 if self._busy_since_s is None else time.monotonic() - self._busy_since_s
        return f"one announcement of the archive has been under way for {busy_s:.0f} s" if busy_s > STUCK_S else None
