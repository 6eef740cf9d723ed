"""The composition root of a scoring worker: binds Kafka, Redis, the model and the Faust agent."""

import asyncio
import contextlib
import os
import socket
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import faust
import msgspec
from faust.types import StreamT
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind
from redis.exceptions import RedisError

from models.access.redis_access import async_redis_client
from models.audit.chain import Entry
from models.control_group import ControlPolicy
from models.features.feature_set import DEFAULT, feature_set
from models.features.profile_table import ProfileTable
from models.model_cache import LocalModelCache
from models.registry import Registry
from models.schema.iso_codes import CURRENCY_EXPONENTS
from models.schema.money import ReportingCurrency, default_reporting_currency
from models.signing import AllowedSigners
from stream_app.faust_app import ChannelApp, channel_app, end_process, keep_heap
from stream_app.health import HealthServer
from stream_app.process_metrics import add_process_metrics
from stream_app.scoring.control_outlook import ControlOutlook
from stream_app.scoring.control_seed import load_or_create_seed
from stream_app.scoring.joint_scoring import JointScoring
from stream_app.scoring.lineup_follower import LineupFollower
from stream_app.scoring.liveness import Liveness
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.misrouting import MisroutingNotice
from stream_app.scoring.model_failures import ModelFailureNotice
from stream_app.scoring.overdue import OverdueNotice
from stream_app.scoring.profile_follower import ProfileFollower
from stream_app.scoring.record_batch import RecordBatch, Scored
from stream_app.scoring.settings import ScoringSettings
from stream_app.scoring.sink import Sink, make_producer
from stream_app.scoring.source import OpenPartition, SourceParts, TransactionSource
from stream_app.scoring.warm_up import warm_up
from stream_app.telemetry.traces import messaging, span, tracing
from stream_app.worker_status import WorkerStatus, workers_key

_TURNS_TO_SEND = 4
"""Turns of the event loop after which the producer has written to its socket what it was given: it is told that there
is something, wakes, makes a request and writes it. What nobody waits for is done after that."""
_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  compared with, not listened on


class ScoringWorker(faust.Service):
    """Everything one worker owns beside its agent; starts it in order and stops it in order.

    First the models and the terminal profiles, then the source: a partition is opened only when it can be scored.
    """

    def __init__(self, settings: ScoringSettings, writer: str, app: ChannelApp) -> None:
        self.settings = settings
        self.writer = writer
        self.metrics = ScoringMetrics()
        add_process_metrics(self.metrics.registry)
        self.feature_set = feature_set(settings.feature_set) if settings.feature_set else DEFAULT
        self.profiles = ProfileTable(self.feature_set)
        self._misrouting = MisroutingNotice()
        self._failures = ModelFailureNotice()
        self._overdue = OverdueNotice(settings.overdue_after_s)
        self._polls = app.channel(maxsize=1)
        registry = Registry(settings.redis_url, settings.redis_prefix)
        self._log = registry.log
        signers = AllowedSigners.in_folder(settings.allowed_signers)
        cache = LocalModelCache(settings.data_folder / "last-verified-model")
        self.serving = LineupFollower(settings, registry, cache, signers, self.metrics, self.report)
        self.follower = ProfileFollower(settings, self.profiles, self.metrics, self.report)
        self._redis = async_redis_client(settings.redis_url)
        self.source: TransactionSource | None = None
        self._liveness: Liveness | None = None
        super().__init__()

    async def on_start(self) -> None:
        """Bring up the models and the profiles, then join the group."""
        settings = self.settings
        try:
            self._producers = make_producer(settings.broker), make_producer(settings.broker)
            for producer in self._producers:
                await producer.start()
            self.sink = Sink(*self._producers, settings.topics)
            currency = _currency(settings)
            control = _control_policy(settings, currency)
            self._outlook = ControlOutlook(control)
            self.scoring = JointScoring(self.feature_set, self.profiles, currency, settings.reasons)
            parts = SourceParts(
                settings, self.writer, self.feature_set, control, self.serving.models, self.sink, self.metrics,
                end_process, self._ready, self._audit,
            )  # fmt: skip
            self.source = TransactionSource(parts, self._polls)
            self._liveness = Liveness(self.source, self.metrics)
            if settings.web_port is not None:
                self._health = HealthServer(
                    settings.web_host, settings.web_port, self.metrics.registry, self._liveness.unhealthy, self._state
                )
                await self._health.start()
            model = await self.serving.first()
            self._outlook.begin(model.manifest)
            await asyncio.to_thread(warm_up, model, currency)
            keep_heap()
            self.add_future(self._guarded(self.serving.follow()))
            self.add_future(self._guarded(self.follower.follow()))
            await self.add_runtime_dependency(self.source)
        except Exception as error:  # noqa: BLE001  a worker that cannot start ends with its reason
            end_process(error)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  nothing restarts inside: the process ends
            end_process(error)

    async def score(self, polled: list[RecordBatch]) -> None:
        """Score what one poll brought and send what came of it; any failure ends the process before more is sent."""
        source = self.source
        assert source is not None
        try:
            with self._span(polled):
                await self._score(source, polled)
        except Exception as error:  # noqa: BLE001  as above
            end_process(error)
        source.poll_done()

    def _span(self, polled: list[RecordBatch]) -> AbstractContextManager[Span]:
        """One for all that a poll brought; none for batches without records."""
        count = sum(len(batch.offsets) for batch in polled) if tracing() else 0
        if not count:
            return nullcontext(INVALID_SPAN)
        topic, lineup = self.settings.topics.transactions, self.serving.lineup
        full = [batch for batch in polled if len(batch.offsets)]
        return span(
            f"process {topic}",
            SpanKind.CONSUMER,
            links=[link for batch in full for link in batch.links],
            attributes={
                **messaging("process", topic, count=count, group=self.settings.group),
                "fraudstream.offsets": [f"{b.partition}:{b.offsets[0]}-{b.offsets[-1]}" for b in full],
                "fraudstream.models": lineup.versions if lineup else [],
            },
        )

    async def _score(self, source: TransactionSource, polled: list[RecordBatch]) -> None:
        lineup = self.serving.lineup
        if lineup is None:
            return
        if source.lease.lapsed():
            source.reopen("the process stood still")
            return
        turns = [(opened, batch) for batch in polled if (opened := source.current(batch)) is not None]
        if not turns:
            return
        started, now_ms = time.perf_counter(), time.time_ns() // 1_000_000
        found = self.scoring.score(
            [(opened.lane, batch) for opened, batch in turns], lineup, stale=self.serving.stale, now_ms=now_ms
        )
        seconds = time.perf_counter() - started
        rows = sum(len(batch.offsets) for _, batch in turns)
        if rows:
            self.metrics.see_poll(rows, seconds)
        await self._send(source, [(*turn, scored) for turn, scored in zip(turns, found, strict=True)], now_ms)

    async def _send(
        self, source: TransactionSource, done: list[tuple[OpenPartition, RecordBatch, Scored]], now_ms: int
    ) -> None:
        """Dead letters, then scores, then, when those are on their way, what nobody waits for."""
        for _, batch, scored in done:
            if scored.dead:
                await self.sink.bury(batch.partition, scored.dead, now_ms)
        sent = []
        for opened, batch, scored in done:
            if source.still_ours(batch):
                await self.sink.send_scores(batch.partition, opened.lane.identity.topic_id, scored, opened.done, now_ms)
                self._see_waits(batch, scored)
                sent.append((opened, batch, scored))
        for _ in range(_TURNS_TO_SEND):
            await asyncio.sleep(0)
        self.scoring.log([(opened.lane, scored) for opened, _, scored in sent])
        for opened, batch, scored in sent:
            if source.still_ours(batch):
                await self.sink.send_features(batch.partition, scored, opened.done, now_ms)
            self._see(opened, batch, scored)

    def _see(self, opened: OpenPartition, batch: RecordBatch, scored: Scored) -> None:
        if not len(batch.offsets):
            return
        self.metrics.see(scored)
        if batch.overdue:
            self.metrics.overdue.inc(len(scored.scores))
        self._overdue.see(batch, time.monotonic())
        self._outlook.see(batch.partition, opened.lane.identity.partitions, scored)
        self._misrouting.see(batch.partition, scored, time.monotonic())
        self._failures.see(scored, time.monotonic())

    def _see_waits(self, batch: RecordBatch, scored: Scored) -> None:
        if scored.scores and batch.last_ms:
            now_ms = time.time() * 1000
            self.metrics.latency.observe(
                len(scored.scores), (now_ms - batch.first_ms) / 1000, (now_ms - batch.last_ms) / 1000
            )

    def _ready(self) -> bool:
        return self.serving.lineup is not None and self.follower.caught_up.is_set()

    def _state(self) -> dict[str, object]:
        return {**msgspec.structs.asdict(self._status()), "stale": self.serving.stale, "reason": self._reason()}

    def _reason(self) -> str | None:
        """What the worker waits for before it scores; None once it is ready."""
        if self.serving.lineup is None:
            return "it waits for a model: `fraudstream models promote` one, or Redis does not answer"
        if not self.follower.caught_up.is_set():
            return f"it reads {self.settings.topics.profiles} to its end"
        if self.source is None or not self.source.partitions:
            return "it waits for its partitions: the group is still sharing them out, or state is being rebuilt"
        return None

    def _status(self) -> WorkerStatus:
        serving, lineup = self.serving, self.serving.lineup
        partitions = sorted(self.source.partitions) if self.source else []
        web = _web_address(self.settings)
        return WorkerStatus(
            self.writer, os.getpid(), web, self._ready() and bool(partitions),
            lineup.champion.version if lineup else None, serving.sequence, self.profiles.as_of, partitions,
            time.time_ns() // 1_000_000, lineup.placement.sequence if lineup else 0,
            lineup.versions if lineup else [], sorted(serving.models.refused),
        )  # fmt: skip

    async def report(self) -> None:
        """Tell Redis which models and profiles this worker runs; the polling of the champion sees Redis' silence."""
        try:
            async with asyncio.timeout(1):
                await self._redis.hset(
                    workers_key(self.settings.redis_prefix), self.writer, msgspec.json.encode(self._status())
                )
        except (RedisError, OSError, TimeoutError):
            self.metrics.registry_errors.inc()

    @faust.Service.task
    async def _report_regularly(self) -> None:
        await self._guarded(self._report_until_stopped())

    async def _report_until_stopped(self) -> None:
        while not self.should_stop:
            await self.report()
            if self._liveness:
                await self._liveness.look()
            await self.sleep(1)

    async def _audit(self, entry: Entry) -> None:
        await asyncio.to_thread(self._log.append, entry)

    async def settle(self) -> None:
        """Before anything is stopped: finish what was pulled, commit, checkpoint."""
        if self.source is not None:
            try:
                await self.source.let_go()
            except Exception as error:  # noqa: BLE001  as above
                end_process(error)

    async def on_stop(self) -> None:
        """Leave Redis and Kafka; the source has stopped before."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.hdel(workers_key(self.settings.redis_prefix), self.writer)
        await self._redis.aclose()

    async def on_shutdown(self) -> None:
        """Close what the source needed until its end."""
        for producer in self._producers:
            await producer.stop()
        if self.settings.web_port is not None:
            await self._health.stop()


def _web_address(settings: ScoringSettings) -> str | None:
    """Where others find the pages: a host that stands for every address is told by the machine's name."""
    if settings.web_port is None:
        return None
    host = socket.gethostname() if settings.web_host in _EVERY_ADDRESS else settings.web_host
    return f"http://{host}:{settings.web_port}"


def _currency(settings: ScoringSettings) -> ReportingCurrency:
    return ReportingCurrency.read(settings.rates_file) if settings.rates_file else default_reporting_currency()


def _control_policy(settings: ScoringSettings, currency: ReportingCurrency) -> ControlPolicy:
    seed = settings.control_seed or settings.data_folder / "control-seed"
    return ControlPolicy(
        settings.control_share,
        settings.control_amount_cap * 10 ** CURRENCY_EXPONENTS[currency.currency],
        settings.control_day_cap,
        settings.hard_block,
        load_or_create_seed(seed) if settings.control_share else b"",
    )


def scoring_app(settings: ScoringSettings, writer: str) -> ChannelApp:
    """Build the Faust app of one worker; nothing connects before it is started."""
    app = channel_app(settings.group, settings.broker, settings.data_folder)
    worker = ScoringWorker(settings, writer, app)

    @app.agent(worker._polls, name="score_transactions")  # noqa: SLF001
    async def score_transactions(polls: StreamT[list[RecordBatch]]) -> None:
        async for polled in polls:
            await worker.score(polled)

    @app.on_before_shutdown.connect(weak=False)
    async def settle(*_: Any, **__: Any) -> None:
        await worker.settle()

    app.service(worker)  # type: ignore[arg-type]  # typed for classes, takes an instance too
    return app
