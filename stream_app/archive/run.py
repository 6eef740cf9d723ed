"""One archive process: waits for the lease, works in a thread, stops after a commit."""

import asyncio
import logging
import signal
import time

from models.access.redis_access import async_redis_client
from stream_app.archive.archiver import Archiver
from stream_app.archive.gauges import ArchiveGauges
from stream_app.archive.json_columns import load_kernels
from stream_app.archive.settings import ArchiveSettings
from stream_app.faust_app import end_process
from stream_app.health import HealthServer
from stream_app.lease import Lease
from stream_app.process_metrics import add_process_metrics

log = logging.getLogger(__name__)

STANDBY_POLL_S = 0.5
STUCK_S = 120.0
"""A turn that takes longer is stuck: a full commit takes a few seconds."""


class ArchiveProcess:
    """Owns the lease and the web pages; the work itself is done by an `Archiver`.

    Parameters
    ----------
    settings: what the process was started with.
    """

    def __init__(self, settings: ArchiveSettings) -> None:
        self._settings = settings
        self._gauges = ArchiveGauges()
        add_process_metrics(self._gauges.registry)
        self._archiver: Archiver | None = None
        self._stopping = asyncio.Event()
        self._standing_by = True
        self._turn_began_s: float | None = None

    async def run(self) -> None:
        """Archive until SIGTERM or Ctrl-C. Whatever fails ends the process at once: the next one carries on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        settings = self._settings
        redis = async_redis_client(settings.redis_url)
        lease = Lease(redis, f"{settings.redis_prefix}archive", settings.archiver, settings.lease_s)
        try:
            await self._serve_and_work(lease)
        except Exception as error:  # noqa: BLE001  the process ends; the next archiver carries on
            end_process(error)
        await redis.aclose()

    async def _serve_and_work(self, lease: Lease) -> None:
        load_kernels()
        port = self._settings.web_port
        health = None
        if port is not None:
            health = HealthServer(self._settings.web_host, port, self._gauges.registry, self._unhealthy, self._state)
            await health.start()
        if await self._stand_by(lease):
            renewing = asyncio.create_task(self._renew(lease))
            await self._work(lease)
            renewing.cancel()
            await lease.release()
        if health is not None:
            await health.stop()

    async def _stand_by(self, lease: Lease) -> bool:
        told = False
        while not self._stopping.is_set():
            if await lease.acquire():
                return True
            if not told:
                log.info("standing by: another archiver holds the lease")
                told = True
            await asyncio.sleep(STANDBY_POLL_S)
        return False

    async def _work(self, lease: Lease) -> None:
        self._standing_by = False
        archiver = await asyncio.to_thread(Archiver, self._settings, self._gauges, lease.check)
        self._archiver = archiver
        self._gauges.active.set(1)
        log.info("active as archiver %d at %s, watermark %d", lease.epoch, archiver.versions, archiver.watermark)
        while not self._stopping.is_set():
            self._turn_began_s = time.monotonic()
            await asyncio.to_thread(archiver.turn)
        await asyncio.to_thread(archiver.close)

    @staticmethod
    async def _renew(lease: Lease) -> None:
        try:
            while True:
                await lease.renew()
                await asyncio.sleep(lease.renew_every_s)
        except Exception as error:  # noqa: BLE001  the process ends; another may hold the lease
            end_process(error)

    def _state(self) -> dict[str, object]:
        if self._archiver is None:
            if self._standing_by:
                return {"ready": False, "state": "standby", "reason": "another archiver holds the lease"}
            return {"ready": False, "state": "opening", "reason": "it looks how far tables and topics go"}
        return {
            "ready": True,
            "state": "active",
            "reason": None,
            "versions": self._archiver.versions,
            "watermark": self._archiver.watermark,
            "buffered_rows": self._archiver.buffered_rows,
            "waiting_for": self._archiver.waiting_for(),
        }

    def _unhealthy(self) -> str | None:
        busy_s = 0.0 if self._turn_began_s is None else time.monotonic() - self._turn_began_s
        return f"one turn has been under way for {busy_s:.0f} s" if busy_s > STUCK_S else None
