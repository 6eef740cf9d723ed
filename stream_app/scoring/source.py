"""The Faust service that reads transactions in batches, opens partitions, keeps the lease, commits and drains."""

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import faust
import numpy as np
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, OffsetOutOfRangeError
from faust.types import ChannelT

from models.access.kafka_settings import aiokafka_settings
from models.audit.chain import Entry
from models.control_group import ControlGroup, ControlPolicy
from models.errors import FraudstreamError
from models.features.feature_set import FeatureSet
from models.scorer import LoadedModel
from stream_app.checkpoints import CheckpointStore
from stream_app.scoring.acknowledgements import Acknowledgements
from stream_app.scoring.checkpointing import LaneCheckpoints
from stream_app.scoring.commit_metadata import CommitMetadata
from stream_app.scoring.feature_buffer import FeatureBuffer
from stream_app.scoring.lane import Lane, LaneStart
from stream_app.scoring.lease import Lease
from stream_app.scoring.loaded_models import LoadedModels
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.opening import Opened, Opening, epoch_entry
from stream_app.scoring.record_batch import RecordBatch
from stream_app.scoring.settings import ScoringSettings
from stream_app.scoring.sink import SendError, Sink
from stream_app.telemetry.traces import trace_of, tracing

log = logging.getLogger(__name__)

_MOST_LINKS = 8

_LONGEST_POLL_S = 0.2


class DrainError(FraudstreamError):
    """Raised when what was sent is not acknowledged within the session time-out."""


class InputGoneError(FraudstreamError):
    """Raised when records that are not scored yet are no longer in the input."""


@dataclass(slots=True)
class OpenPartition:
    """A partition this worker scores."""

    lane: Lane
    done: Acknowledgements
    checkpoints: LaneCheckpoints
    committed: int
    end: int


@dataclass(frozen=True, slots=True)
class SourceParts:
    """What the source works with; made by the composition root."""

    settings: ScoringSettings
    writer: str
    feature_set: FeatureSet
    control: ControlPolicy
    models: LoadedModels
    sink: Sink
    metrics: ScoringMetrics
    ended: Callable[[BaseException], None]
    ready: Callable[[], bool]
    audit: Callable[[Entry], Awaitable[None]]


class TransactionSource(faust.Service):
    """Feeds what each poll brings, one record batch per partition, into a channel.

    A partition is opened outside the rebalance callbacks, before anything of it is polled. A revocation stops the
    pull, waits until the agent is idle and every send is acknowledged, commits, writes a checkpoint, and then lets go.
    """

    def __init__(self, parts: SourceParts, polls: ChannelT[list[RecordBatch]], **kwargs: Any) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._polls = polls
        self.partitions: dict[int, OpenPartition] = {}
        self.generation = 0
        self.lease = Lease(parts.settings.session_timeout_s / 2)
        self._left: list[Acknowledgements] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._pulling = asyncio.Event()
        self._store = CheckpointStore(parts.settings.checkpoints)
        self._opening = Opening(parts.settings, self._store, parts.feature_set)
        super().__init__(**kwargs)

    async def on_start(self) -> None:
        """Join the group."""
        settings = self._settings
        self._pulling.set()
        # A channel's put waits for it, and only Faust's own consumer resumes it.
        self._polls.app.flow_control.resume()
        await self._opening.start()
        self._consumer = AIOKafkaConsumer(
            **aiokafka_settings(settings.broker),
            group_id=settings.group,
            enable_auto_commit=False,
            auto_offset_reset="none",  # positions are set at opening; one that is gone must not be replaced silently
            isolation_level="read_committed",
            fetch_max_wait_ms=settings.fetch_wait_ms,
            session_timeout_ms=int(settings.session_timeout_s * 1000),
            heartbeat_interval_ms=int(settings.session_timeout_s * 1000 / 6),
            rebalance_timeout_ms=int(settings.session_timeout_s * 1000),
            metadata_max_age_ms=settings.metadata_max_age_ms,
        )
        self._consumer.subscribe([settings.topics.transactions], listener=_Listener(self))
        await self._consumer.start()
        self.lease.renew()

    @faust.Service.task
    async def _pull(self) -> None:
        try:
            while not self.should_stop:
                await self._pulling.wait()
                if not self._parts.ready():
                    await self.sleep(0.05)
                    continue
                await self._open_assigned()
                await self._pull_once()
        except Exception as error:  # noqa: BLE001  whatever it was, nothing more is sent: the process ends
            self._parts.ended(error)

    async def _pull_once(self) -> None:
        open_partitions = [
            TopicPartition(self._settings.topics.transactions, partition) for partition in self.partitions
        ]
        if not open_partitions:
            await self.sleep(0.05)
            return
        generation = self.generation
        found = await self._fetch(open_partitions)
        if self.lease.lapsed():
            self.reopen("the process stood still")
            return
        if generation != self.generation or not self._pulling.is_set():  # taken away, or about to be
            return
        batches = [
            _record_batch(key.partition, generation, records, overdue=self._overdue(key, records))
            for key, records in found.items()
        ]
        batches += [
            RecordBatch.empty(partition, generation)
            for partition, opened in self.partitions.items()
            if opened.lane.log.due() and all(key.partition != partition for key in found)
        ]
        await self._hand_over(batches)
        await self._pass_gaps([key for key in open_partitions if key not in found], generation)

    async def _hand_over(self, batches: list[RecordBatch]) -> None:
        """Give the agent the batches of one poll and wait until it has done with them."""
        if not batches:
            return
        self._idle.clear()
        await self._polls.put(batches)  # type: ignore[arg-type]  # typed for Faust's events, takes any value
        await self._idle.wait()

    async def _fetch(self, partitions: list[TopicPartition]) -> dict[TopicPartition, list[Any]]:
        held = any(opened.lane.log for opened in self.partitions.values())
        longest_s = self._settings.feature_log_wait_s if held else _LONGEST_POLL_S
        try:
            found: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
                *partitions, timeout_ms=int(longest_s * 1000), max_records=self._settings.batch_records
            )
        except OffsetOutOfRangeError as error:
            places = ", ".join(f"partition {key.partition} offset {offset}" for key, offset in error.args[0].items())
            raise InputGoneError(
                f"{self._settings.topics.transactions} no longer holds {places}, which is next to be scored: the "
                f"topic was recreated, "
                "or its retention is shorter than the lag; start again to be told the remedy"
            ) from error
        return found

    def _overdue(self, partition: TopicPartition, records: list[Any]) -> bool:
        """Whether the first record is older than the limit and more wait behind the last.

        The second, because a bank's stamps may be old for another reason, a mirrored topic's for instance.
        """
        age_ms = time.time() * 1000 - records[0].timestamp
        self._parts.metrics.oldest_age.set(age_ms / 1000)
        waiting = (self._consumer.highwater(partition) or 0) - 1 - records[-1].offset
        return bool(age_ms > self._settings.overdue_after_s * 1000 and waiting > 0)

    async def _pass_gaps(self, partitions: list[TopicPartition], generation: int) -> None:
        """Move on over offsets without a record (aborted, compacted, markers): all before is handed over."""
        for key in partitions:
            try:
                position = await self._consumer.position(key)
            except IllegalStateError:  # revoked in the meantime
                return
            if generation != self.generation:
                return
            opened = self.partitions[key.partition]
            if opened.lane.pass_to(position) and not opened.lane.log:
                opened.done.expect(position, [])

    def poll_done(self) -> None:
        """The agent has finished with what it was given."""
        self._idle.set()

    def current(self, batch: RecordBatch) -> OpenPartition | None:
        """The open partition of a batch; None when the partition was let go since the batch was polled."""
        return self.partitions.get(batch.partition) if batch.generation == self.generation else None

    def still_ours(self, batch: RecordBatch) -> bool:
        """Whether what came of a batch may be sent: asked before each send, another may own the partition by now."""
        if self.lease.lapsed():
            self.reopen("the process stood still before sending")
        return self.current(batch) is not None

    def reopen(self, why: str) -> None:
        """Throw away all that is buffered, others may own the partitions by now; open again those still ours."""
        log.warning(
            "what was buffered is fetched again: %s longer than %.1f s", why, self._settings.session_timeout_s / 2
        )
        self._parts.metrics.lapses.inc()
        self.generation += 1
        self._left += [opened.done for opened in self.partitions.values()]
        self.partitions.clear()
        self.lease.renew()

    async def _open_assigned(self) -> None:
        while self._left:  # what this process sent before counts as scored: wait until the output's end shows it
            await self._left[-1].settled()
            self._left.pop()
        generation = self.generation
        closed = [each for each in sorted(self._consumer.assignment()) if each.partition not in self.partitions]
        if not closed:
            return
        survey = await self._opening.survey()
        opening = [
            asyncio.ensure_future(self._opening.open(each.partition, self._parts.writer, survey)) for each in closed
        ]
        try:
            for assigned, opened in zip(closed, opening, strict=True):
                if not await self._take_over(assigned, await opened, generation):
                    return
        finally:
            for each in opening:
                each.cancel()
            await asyncio.gather(*opening, return_exceptions=True)

    async def _take_over(self, assigned: TopicPartition, opened: Opened, generation: int) -> bool:
        """Score a partition from now on, unless it has been taken away meanwhile; return whether it has not."""
        models = {entry.model_version: await self._model(entry.model_version) for entry in opened.missing.values()}
        if generation != self.generation or assigned not in self._consumer.assignment():
            return False
        self._consumer.seek(assigned, opened.state_offset)
        self.partitions[assigned.partition] = self._open(opened, {v: m for v, m in models.items() if m})
        await self._announce(opened)
        return True

    async def _model(self, version: str) -> LoadedModel | None:
        return await self._parts.models.find(version)

    def _open(self, opened: Opened, models: dict[str, LoadedModel]) -> OpenPartition:
        parts, settings = self._parts, self._settings
        start = LaneStart(opened.state_offset, opened.output_offset, opened.missing, models, opened.cold_before)
        identity = opened.identity
        day_cap = parts.control.day_cap_of(identity.partition, identity.partitions)
        control = ControlGroup(parts.control, day_cap, opened.control_used)
        feature_log = FeatureBuffer(settings.feature_log_rows, settings.feature_log_wait_s)
        lane = Lane(identity, start, opened.cards, control, feature_log)
        # Nothing is committed above a feature row that is still to be computed again.
        position = min(opened.missing, default=opened.output_offset)
        done = Acknowledgements(position, partial(self._send_failed, opened.identity.partition))
        checkpoints = LaneCheckpoints(self._store, lane, parts.feature_set.version, settings.checkpoint_increments)
        return OpenPartition(lane, done, checkpoints, committed=-1, end=opened.end)

    def _send_failed(self, partition: int, error: BaseException) -> None:
        topics = self._settings.topics
        self._parts.ended(
            SendError(
                f"partition {partition}: a send to {topics.scores} or {topics.features} failed: {error!r}; "
                "mend the topic; the partition's next owner repeats it"
            )
        )

    async def _announce(self, opened: Opened) -> None:
        log.info(
            "partition %d open: state from %d, output from %d, %d feature rows to compute again, epoch %d, %s in "
            "%.2f s",
            opened.identity.partition, opened.state_offset, opened.output_offset, len(opened.missing),
            opened.identity.epoch, "warm" if opened.cold_before == 0 else "COLD", opened.took_s,
            extra={
                "partition": opened.identity.partition, "first_offset": opened.state_offset,
                "offset": opened.output_offset, "writer": opened.identity.writer,
            },
        )  # fmt: skip
        if self._settings.new_epoch is not None and opened.identity.epoch > 0:
            await self._parts.audit(epoch_entry(opened, self._settings))
            await self.commit()

    @faust.Service.task
    async def _keep_lease(self) -> None:
        while not self.should_stop:
            await self.sleep(0.1)
            if self.lease.lapsed():
                self.reopen("the process stood still")
            self.lease.renew()

    @faust.Service.task
    async def _commit_regularly(self) -> None:
        try:
            while not self.should_stop:
                await self.sleep(self._settings.commit_interval_s)
                await self.commit()
        except Exception as error:  # noqa: BLE001  as above
            self._parts.ended(error)

    async def commit(self) -> None:
        """Commit what is acknowledged. A refused commit is no loss: the position is also read from the output's end."""
        offsets = {}
        for partition, opened in self.partitions.items():
            if opened.done.position != opened.committed:
                identity = opened.lane.identity
                metadata = CommitMetadata(identity.topic_id, identity.epoch, identity.partitions).encode()
                key = TopicPartition(self._settings.topics.transactions, partition)
                offsets[key] = OffsetAndMetadata(opened.done.position, metadata)
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            log.warning("offsets not committed, the group has moved on: %s", error)
        except KafkaError as error:
            log.warning("offsets not committed, trying again: %r", error)
        else:
            for key, value in offsets.items():
                if key.partition in self.partitions:
                    self.partitions[key.partition].committed = value.offset

    @faust.Service.task
    async def _checkpoint_regularly(self) -> None:
        try:
            while not self.should_stop:
                await self.sleep(self._settings.checkpoint_interval_s)
                await self.checkpoint()
        except Exception as error:  # noqa: BLE001  as above
            self._parts.ended(error)

    async def checkpoint(self) -> None:
        """Write what is new in every open partition; ends the process when the input is another topic by now."""
        if self.partitions:
            await self._opening.check_input({opened.lane.identity.topic_id for opened in self.partitions.values()})
        for opened in list(self.partitions.values()):
            failures = opened.checkpoints.failures
            size = await opened.checkpoints.write(opened.done)
            self._parts.metrics.see_checkpoint(size, opened.checkpoints.failures - failures)

    async def let_go(self) -> None:
        """Drain, commit, checkpoint, forget every partition; bounded by the session time-out, then the process ends."""
        self._pulling.clear()
        try:
            async with asyncio.timeout(self._settings.session_timeout_s):
                await self._idle.wait()
                await self._hand_over([RecordBatch.empty(each, self.generation) for each in self.partitions])
                for opened in self.partitions.values():
                    await opened.done.settled()
                await self.commit()
                await self.checkpoint()
        except TimeoutError:
            raise DrainError(
                f"what was sent is not acknowledged within {self._settings.session_timeout_s:.0f} s of a revocation; "
                "the partition's next owner repeats it"
            ) from None
        finally:
            self.generation += 1
            self.partitions.clear()

    def go_on(self) -> None:
        """Pull again, after an assignment."""
        self._pulling.set()

    def lags(self) -> dict[int, int]:
        """Records behind the end of the input, by open partition."""
        lags = {}
        assigned = self._consumer.assignment()
        for partition, opened in self.partitions.items():
            key = TopicPartition(self._settings.topics.transactions, partition)
            if key not in assigned:  # a rebalance is under way
                continue
            end = self._consumer.last_stable_offset(key) or self._consumer.highwater(key) or opened.end
            lags[partition] = max(0, end - opened.lane.next_offset)
        return lags

    async def on_stop(self) -> None:
        """Leave the group; what was pulled has been drained before (see `let_go`)."""
        await self._consumer.stop()
        await self._opening.stop()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, source: TransactionSource) -> None:
        self._source = source

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        try:
            await self._source.let_go()
        except Exception as error:  # noqa: BLE001  as above
            self._source._parts.ended(error)  # noqa: SLF001  the listener is the source's own

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._source.go_on()


def _record_batch(partition: int, generation: int, records: list[Any], *, overdue: bool) -> RecordBatch:
    offsets = np.fromiter((record.offset for record in records), np.int64, count=len(records))
    return RecordBatch(
        partition,
        generation,
        offsets,
        [record.key for record in records],
        [record.value for record in records],
        overdue,
        records[0].timestamp,
        records[-1].timestamp,
        _links(records) if tracing() else (),
    )


def _links(records: list[Any]) -> tuple[str, ...]:
    """Who sent the first records of a batch that were traced: a batch has too many senders to be any one's child."""
    traced = (trace_of(record.headers) for record in records if record.headers)
    return tuple(itertools.islice((trace for trace in traced if trace is not None), _MOST_LINKS))
