"""One intake from bytes to acknowledged steps: decode, count, publish, and now and then a checkpoint."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiokafka import ConsumerRecord, TopicPartition

from models.features.feature_set import UnknownFeatureSetError
from models.schema import wire
from models.schema.clock_tick import ClockTick
from models.schema.decoding import decode_labels
from models.schema.feature_batch import FeatureBatchError, FeatureBatchHeader, FeatureRows, decode_feature_batch
from stream_app.lease import Lease
from stream_app.watch.dead_letters import DeadLetters, DeadRecord
from stream_app.watch.profiles.gauges import KeeperGauges
from stream_app.watch.profiles.intake import Intake
from stream_app.watch.profiles.keeper import ProfileKeeper
from stream_app.watch.profiles.keeper_checkpoint import KeeperCheckpoint, KeeperCheckpoints
from stream_app.watch.profiles.profile_publisher import ProfilePublisher
from stream_app.watch.settings import WatchSettings

log = logging.getLogger(__name__)

Records = Sequence[ConsumerRecord[bytes, bytes]]
Offsets = dict[str, dict[int, int]]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the keeper's work goes."""

    publisher: ProfilePublisher
    dead_letters: DeadLetters
    checkpoints: KeeperCheckpoints
    gauges: KeeperGauges


class KeeperRun:
    """The active keeper's work, in the order in which it must happen.

    A dead letter is acknowledged before anything later is counted, a step before the next is closed, and all of them
    before a checkpoint: so a checkpoint never claims what was not published.
    """

    def __init__(
        self, settings: WatchSettings, keeper: ProfileKeeper, lease: Lease, outputs: Outputs, topic_ids: dict[str, str]
    ) -> None:
        self.keeper = keeper
        self._settings = settings
        self._lease = lease
        self._outputs = outputs
        self._topic_ids = topic_ids
        self._offsets: Offsets = {topic: {} for topic in settings.inputs}
        self._sequence = 0
        self._inherited: set[str] = set()
        self._saved_at_s: float | None = None
        self._unsaved = False
        self._between_intakes = True

    def restore(self) -> bool:
        """Go on from the newest checkpoint that can be used; False when there is none."""
        for checkpoint, arrays in self._outputs.checkpoints.readable():
            checkpoint.check_topics(self._topic_ids, self._outputs.checkpoints.where)
            misfit = self.keeper.misfit(arrays)
            if misfit:
                where = self._outputs.checkpoints.where
                log.warning("checkpoint passed over: %s in %s holds other arrays: %s", checkpoint.name, where, misfit)
                continue
            self.keeper.restore(checkpoint.state, arrays)
            self._take_over(checkpoint)
            return True
        return False

    def _take_over(self, checkpoint: KeeperCheckpoint) -> None:
        self._sequence = checkpoint.sequence
        self._offsets = {topic: dict(checkpoint.offsets.get(topic, {})) for topic in self._offsets}
        self._outputs.gauges.see_step(checkpoint.state.last_step, steps=0)

    def inherit(self, terminals: set[str]) -> None:
        """Start from nothing where others have published: the first step removes those of their terminals it lacks."""
        self._inherited = terminals

    @property
    def offsets(self) -> Offsets:
        """By topic and partition the next offset to read; a partition that is not there is read from its beginning."""
        return self._offsets

    async def handle(self, intake: Intake) -> None:
        """Count an intake and publish the steps that it ends."""
        self._between_intakes = False
        for source, records in intake.records.items():
            await self._count(source, records, intake.at_s)
        for source, next_offset in intake.next_offsets.items():
            self._reach(source, next_offset)
        for as_of in self.keeper.due_steps():
            await self._close(as_of)
        self._between_intakes = True
        if self._saved_at_s is None:
            self._saved_at_s = intake.at_s
        if intake.at_s - self._saved_at_s >= self._settings.checkpoint_every_s:
            self._saved_at_s = intake.at_s
            await self.save()

    async def save(self) -> None:
        """Write a checkpoint of everything counted so far, if there is anything new and no intake was broken off."""
        if not self._unsaved or not self._between_intakes:
            return
        self._lease.check()
        self._sequence += 1
        state, arrays = self.keeper.snapshot()
        checkpoint = KeeperCheckpoint(
            self._settings.keeper, self._lease.epoch, self._sequence, self._offsets, self._topic_ids, state
        )
        written = await asyncio.to_thread(self._outputs.checkpoints.write, checkpoint, arrays)
        self._unsaved = False
        self._outputs.gauges.see_checkpoint(written)

    def waiting_for(self) -> list[str]:
        """What the earliest open tick still waits for, in words."""
        return self.keeper.clock.waiting_for(self.keeper.positions)

    async def _count(self, source: TopicPartition, records: Records, at_s: float) -> None:
        topics = self._settings.topics
        if source.topic == topics.features:
            await self._count_features(source.partition, records, at_s)
        elif source.topic == topics.labels:
            await self._count_labels(source.partition, records)
        else:
            await self._take_ticks(records)

    async def _count_features(self, partition: int, records: Records, at_s: float) -> None:
        for record in records:
            try:
                header = FeatureBatchHeader.decode(record.headers)
                rows = decode_feature_batch(record.value) if record.value else None
                self._count_rows(partition, header, rows, at_s)
            except (FeatureBatchError, UnknownFeatureSetError) as error:
                await self._bury(record, str(error))

    def _count_rows(self, partition: int, header: FeatureBatchHeader, rows: FeatureRows | None, at_s: float) -> None:
        counted = self.keeper.add_features(partition, header, rows, at_s)
        self._outputs.gauges.rows.inc(counted)
        self._outputs.gauges.repeated.inc((len(rows) if rows is not None else 0) - counted)

    async def _count_labels(self, partition: int, records: Records) -> None:
        labels, indices, rejections = decode_labels([record.value for record in records])
        for rejection in rejections:
            await self._bury(records[rejection.index], rejection.reason)
        for label, index in zip(labels, indices, strict=True):
            self.keeper.add_label(label, partition, records[index].offset)
        self._outputs.gauges.labels.inc(len(labels))

    async def _take_ticks(self, records: Records) -> None:
        for record in records:
            try:
                self.keeper.add_tick(wire.decode(ClockTick, record.value or b""))
            except wire.RecordError as error:
                await self._bury(record, str(error))

    async def _bury(self, record: ConsumerRecord[bytes, bytes], reason: str) -> None:
        self._outputs.gauges.dead_letters.labels(record.topic).inc()
        await self._outputs.dead_letters.bury(
            DeadRecord(record.topic, record.partition, record.offset, record.key, record.value, reason)
        )

    async def _close(self, as_of: int) -> None:
        step = self.keeper.close_step(as_of)
        if self._inherited:
            gone = self._inherited.difference(profile.terminal_id for profile in step.changed)
            step = replace(step, removed=sorted(gone.union(step.removed)))
            self._inherited = set()
        await self._outputs.publisher.publish(step)
        self._outputs.gauges.see_step(as_of, len(step.changed) + len(step.removed))

    def _reach(self, source: TopicPartition, next_offset: int) -> None:
        offsets = self._offsets[source.topic]
        self._unsaved = self._unsaved or offsets.get(source.partition) != next_offset
        offsets[source.partition] = next_offset
        if source.topic == self._settings.topics.labels:
            self.keeper.reach_labels(source.partition, next_offset)
