"""One retrain process: retrainer, release loop, mature labels and safekeeping, each in a thread, and the web pages."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from models.access.redis_access import RELEASER, async_redis_client, redis_client
from models.registry import Registry
from models.schema.topics import DAY_MS
from models.scorer import LoadedModel
from models.signing import AllowedSigners, SigningKey
from stream_app.archive.history import ArchivedHistory
from stream_app.audit.publisher import AuditPublisher
from stream_app.faust_app import end_process
from stream_app.health import HealthServer
from stream_app.lease import Lease
from stream_app.model_store import ModelStore
from stream_app.process_metrics import add_process_metrics
from stream_app.retrain.gauges import RetrainGauges
from stream_app.retrain.graveyard import Graveyard
from stream_app.retrain.release.announcer import Announcer
from stream_app.retrain.release.matured_verdicts import MaturedVerdicts
from stream_app.retrain.release.runner import ReleaseRunner
from stream_app.retrain.request_source import CommitSource, RequestSource
from stream_app.retrain.retrain_store import RetrainStore
from stream_app.retrain.safekeeping import Safekeeping
from stream_app.retrain.settings import RetrainSettings
from stream_app.retrain.trainer import Trainer
from stream_app.retrain.worker import RetrainWorker, Surroundings

log = logging.getLogger(__name__)

LEASE: Final = "retrainer"
STANDBY_POLL_S = 0.2
STUCK_S = 60.0
"""A turn that takes longer is stuck: a training is only looked at, never waited for."""


class RetrainProcess:
    """Holds the loops together: when one fails, the process ends, and whoever is next carries on.

    Parameters
    ----------
    settings: what the process was started with.
    """

    def __init__(self, settings: RetrainSettings) -> None:
        self._settings = settings
        self._gauges = RetrainGauges()
        add_process_metrics(self._gauges.registry)
        self._registry = Registry(settings.redis_url, settings.redis_prefix)
        # Only the release loop moves aliases: it may have a user of its own in Redis.
        releases = Registry(redis_client(settings.redis_url, RELEASER), settings.redis_prefix)
        self._runner = ReleaseRunner(settings.release, releases, self._verify)
        self._trainer = Trainer(settings.folder / settings.worker, settings.storage_options, settings.training_s)
        self._worker: RetrainWorker | None = None
        self._stopping = asyncio.Event()
        self._turns_began_s: dict[str, float] = {}

    async def run(self) -> None:
        """Work until SIGTERM or Ctrl-C. Whatever fails ends the process at once, with the training in it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        settings = self._settings
        redis = async_redis_client(settings.redis_url)
        lease = Lease(redis, f"{settings.redis_prefix}{LEASE}", settings.worker, settings.lease_s)
        health = None
        try:
            if settings.web_port is not None:
                health = HealthServer(
                    settings.web_host, settings.web_port, self._gauges.registry, self._unhealthy, self._state
                )
                await health.start()
            await asyncio.gather(
                self._retrain(lease),
                self._in_thread("release", self._release),
                self._in_thread("mature labels", self._mature),
                self._in_thread("safekeeping", self._keep_safe),
            )
            if health is not None:
                await health.stop()
        except Exception as error:  # noqa: BLE001  the process ends; the next one carries on
            self._end(error)
        await redis.aclose()

    async def _in_thread(self, name: str, work: Callable[[], None]) -> None:
        """Run one loop; its thread lives as long as the process, as the training that it starts must."""
        with ThreadPoolExecutor(1, name) as thread:
            try:
                await asyncio.get_running_loop().run_in_executor(thread, work)
            except Exception as error:  # noqa: BLE001  the other loops must not be waited for
                self._end(error)

    def _end(self, error: Exception) -> None:
        self._trainer.stop()
        end_process(error)

    async def _retrain(self, lease: Lease) -> None:
        if await self._stand_by(lease):
            renewing = asyncio.create_task(self._renew(lease))
            await self._in_thread("retrain", partial(self._work, lease.check))
            renewing.cancel()
            await lease.release()

    async def _stand_by(self, lease: Lease) -> bool:
        told = False
        while not self._stopping.is_set():
            if await lease.acquire():
                return True
            if not told:
                log.info("standing by: another retrainer holds the lease")
                told = True
            await asyncio.sleep(STANDBY_POLL_S)
        return False

    async def _renew(self, lease: Lease) -> None:
        try:
            while True:
                await lease.renew()
                await asyncio.sleep(lease.renew_every_s)
        except Exception as error:  # noqa: BLE001  the process ends; another may hold the lease
            self._end(error)

    def _work(self, check_lease: Callable[[], None]) -> None:
        settings = self._settings
        requests = RequestSource(settings.broker, settings.topics)
        commits = CommitSource(settings.broker, settings.topics)
        store = RetrainStore(settings.redis_url, settings.redis_prefix)
        around = Surroundings(
            store=store,
            requests=requests,
            commits=commits,
            trainer=self._trainer,
            registry=self._registry,
            releases=self._runner,
            announcer=Announcer(settings.broker, settings.topics, self._registry.log),
            graveyard=Graveyard(settings.broker, settings.topics),
            audit=self._registry.log,
        )
        self._worker = RetrainWorker(settings, around, self._gauges, check_lease)
        self._gauges.active.set(1)
        log.info("active as retrainer at request %d", requests.next_offset)
        while not self._stopping.is_set():
            self._begin_turn("retrain")
            self._worker.turn()
        self._trainer.stop()
        for connection in (requests, commits, store):
            connection.close()

    def _release(self) -> None:
        self._runner.start()
        while not self._stopping.is_set():
            self._begin_turn("release")
            active = self._runner.poll()
            self._gauges.see_release(active=active, state=self._runner.active_state)
        self._runner.stop()

    def _mature(self) -> None:
        settings = self._settings
        commits = CommitSource(settings.broker, settings.topics)
        verdicts = MaturedVerdicts(
            partial(ArchivedHistory, settings.archive_url, storage_options=settings.storage_options),
            commits.newest,
            self._runner,
            maturity_ms=round(settings.maturity_days * DAY_MS),
            largest_weight=settings.plan.largest_weight,
        )
        while not self._stopping.is_set():
            self._begin_turn("mature labels")
            verdicts.turn()
        commits.close()

    def _keep_safe(self) -> None:
        settings = self._settings
        key = SigningKey.load(settings.signing_key)
        publisher = AuditPublisher(settings.broker, settings.topics, self._registry.log, key)
        keeping = Safekeeping(self._registry, publisher, partial(ModelStore.in_archive, settings.archive_url))
        while not self._stopping.is_set():
            self._begin_turn("safekeeping")
            if keeping.turn():
                self._gauges.safe_at.set_to_current_time()

    def _verify(self, version: str) -> object:
        allowed = AllowedSigners.in_folder(self._settings.allowed_signers)
        return LoadedModel.load(self._registry.get(version), allowed)

    def _begin_turn(self, name: str) -> None:
        self._turns_began_s[name] = time.monotonic()

    def _state(self) -> dict[str, object]:
        worker = self._worker
        if worker is None:
            return {"ready": False, "state": "standby", "reason": "another retrainer holds the lease"}
        return {
            "ready": True,
            "state": "active",
            "reason": None,
            "step": worker.step,
            "request": worker.request,
            "training": self._trainer.saying,
        }

    def _unhealthy(self) -> str | None:
        now_s = time.monotonic()
        for name, began_s in self._turns_began_s.items():
            if now_s - began_s > STUCK_S:
                return f"one turn of the {name} loop has been under way for {now_s - began_s:.0f} s"
        return None
