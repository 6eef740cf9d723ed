"""The service behind the keeper's agent: waits for the lease, opens the inputs, feeds them, closes all in order."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine

import faust
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from models.access.kafka_settings import aiokafka_settings
from models.access.redis_access import async_redis_client
from stream_app.checkpoints import CheckpointStore
from stream_app.lease import PROFILE_KEEPER, Lease
from stream_app.topic_admin import TopicDescription, describe_topics
from stream_app.watch.dead_letters import DeadLetters
from stream_app.watch.profiles.consumer import KeeperConsumer
from stream_app.watch.profiles.gauges import KeeperGauges
from stream_app.watch.profiles.intake import Intake
from stream_app.watch.profiles.keeper import ProfileKeeper, compile_kernels
from stream_app.watch.profiles.keeper_checkpoint import KeeperCheckpoints
from stream_app.watch.profiles.profile_publisher import ProfilePublisher
from stream_app.watch.profiles.published_terminals import published_terminals
from stream_app.watch.profiles.run import KeeperRun, Outputs
from stream_app.watch.settings import WatchSettings

log = logging.getLogger(__name__)

BATCH_BYTES = 1 << 20
STOP_S = 10.0
"""How long a stop waits for the intake under way; then no checkpoint is written and the next keeper reads it again."""
STANDBY_POLL_S = 0.5
STUCK_S = 60.0
"""An intake that takes longer is stuck: a full one, with a step and a checkpoint, takes less than a second."""

Put = Callable[[Intake], Coroutine[None, None, object]]


class KeeperService(faust.Service):
    """Owns the connections of one keeper.

    Parameters
    ----------
    settings: what the process was started with.
    registry: of the process's metrics.
    put: hands an intake to the agent; the agent calls `handle`.
    end: ends the process with a reason.
    """

    def __init__(
        self, settings: WatchSettings, registry: CollectorRegistry, put: Put, end: Callable[[BaseException], None]
    ) -> None:
        self._settings = settings
        self._put = put
        self._end = end
        self._redis = async_redis_client(settings.redis_url)
        self._lease = Lease(self._redis, settings.redis_prefix + PROFILE_KEEPER, settings.keeper, settings.lease_s)
        self._gauges = KeeperGauges(registry)
        self._consumer: KeeperConsumer | None = None
        self._producer: AIOKafkaProducer | None = None
        self._run: KeeperRun | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._busy_since_s = 0.0
        self._finished = asyncio.Event()
        self._finished.set()
        super().__init__()

    async def on_start(self) -> None:
        """Compile; the rest waits for the lease."""
        compile_kernels()

    async def on_stop(self) -> None:
        """Let the intake under way finish, write a checkpoint, free the lease."""
        try:
            await asyncio.wait_for(self._finished.wait(), STOP_S)
        except TimeoutError:
            log.warning("the intake under way did not finish within %g s: no checkpoint is written", STOP_S)
        if self._run is not None:
            await self._run.save()
        for connection in (self._consumer, self._producer):
            if connection is not None:
                await connection.stop()
        if self._lease.epoch:
            await self._lease.release()
        await self._redis.aclose()

    async def handle(self, intake: Intake) -> None:
        """Count one intake; called by the agent."""
        assert self._run is not None
        try:
            await self._run.handle(intake)
        except BaseException as error:  # the process ends: nothing later may be counted
            if not isinstance(error, asyncio.CancelledError):
                self._end(error)
            raise
        self._idle.set()

    @faust.Service.task
    async def _keep(self) -> None:
        self._finished.clear()
        try:
            await self._stand_by()
            if not self.should_stop:
                await self._open()
            while self._consumer is not None and not self.should_stop:
                intake = await self._consumer.read()
                self._busy_since_s = time.monotonic()
                self._idle.clear()
                await self._put(intake)
                await self._idle.wait()
        except Exception as error:  # noqa: BLE001  the process ends; the next keeper carries on from the checkpoint
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

    async def _stand_by(self) -> None:
        told = False
        while not self.should_stop and not await self._lease.acquire():
            if not told:
                log.info("standing by: another keeper holds the lease")
                told = True
            await self.sleep(STANDBY_POLL_S)

    async def _open(self) -> None:
        settings = self._settings
        names = [*settings.inputs, settings.topics.profiles]
        topics = await asyncio.to_thread(describe_topics, settings.broker, names)
        inputs = {name: topics[name] for name in settings.inputs}
        self._producer = AIOKafkaProducer(
            **aiokafka_settings(settings.broker), enable_idempotence=True, linger_ms=0, max_batch_size=BATCH_BYTES
        )
        await self._producer.start()
        keeper = ProfileKeeper(inputs[settings.topics.features].partitions, settings.maturity_ms, settings.idle_after_s)
        outputs = self._outputs(self._producer, topics[settings.topics.profiles])
        run = KeeperRun(
            settings, keeper, self._lease, outputs, {name: topic.topic_id for name, topic in inputs.items()}
        )
        if not run.restore():
            run.inherit(await published_terminals(settings.broker, topics[settings.topics.profiles]))
        self._consumer = KeeperConsumer(settings.broker)
        await self._consumer.start(inputs, run.offsets)
        self._run = run
        self._gauges.active.set(1)
        log.info("active as keeper %d from step %d", self._lease.epoch, keeper.clock.last_step)

    def _outputs(self, producer: AIOKafkaProducer, profiles: TopicDescription) -> Outputs:
        settings = self._settings
        return Outputs(
            publisher=ProfilePublisher(producer, profiles.name, profiles.partitions, self._lease, settings.keeper),
            dead_letters=DeadLetters(producer, settings.topics.dead_letter),
            checkpoints=KeeperCheckpoints(
                CheckpointStore(settings.checkpoint_url), f"profile-keeper/{profiles.name}", settings.checkpoints_kept
            ),
            gauges=self._gauges,
        )

    def status(self) -> dict[str, object]:
        """What it is doing, for the web pages."""
        if self._run is None:
            return {"state": "restoring" if self._lease.epoch else "standby"}
        return {
            "state": "active",
            "keeper_epoch": self._lease.epoch,
            "as_of": self._run.keeper.clock.last_step,
            "waiting_for": self._run.waiting_for(),
        }

    def unhealthy(self) -> str | None:
        """Why the process should be restarted, if it should."""
        busy_s = 0.0 if self._idle.is_set() else time.monotonic() - self._busy_since_s
        return f"one intake has been under way for {busy_s:.0f} s" if busy_s > STUCK_S else None
