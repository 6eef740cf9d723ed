"""Follows the topic `profiles` and applies each step as a whole, once its marker stands on every partition."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from models.access.kafka_settings import aiokafka_settings
from models.errors import one_line
from models.features.profile_table import ProfileTable, StepArrays
from models.schema import wire
from models.schema.terminal_profile import KEEPER_EPOCH_HEADER, MARKER_KEY, ProfileMarker, TerminalProfile
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.settings import ScoringSettings
from stream_app.topic_admin import describe_topics

log = logging.getLogger(__name__)

_BATCH = 5000
_SLICE = 2000
"""Profiles between which scoring goes on while a step is prepared: 8 ms of them (bench/bench_terminals.py)."""


class PendingStep:
    """What one partition of `profiles` has brought and not yet been applied, with the markers in between."""

    def __init__(self) -> None:
        self._records: list[tuple[str, TerminalProfile | None]] = []
        self._marked: list[tuple[int, int]] = []

    @property
    def as_of(self) -> int:
        """The newest marker, 0 for none."""
        return self._marked[-1][0] if self._marked else 0

    def add(self, terminal_id: str, profile: TerminalProfile | None) -> None:
        """A profile, or None where the terminal has none any more."""
        self._records.append((terminal_id, profile))

    def mark(self, as_of: int) -> None:
        """A marker ends all that came before it."""
        self._marked.append((as_of, len(self._records)))

    def take(self, as_of: int) -> dict[str, TerminalProfile | None]:
        """All that belongs to the steps up to `as_of`, the latest for each terminal."""
        count = max((length for at, length in self._marked if at <= as_of), default=0)
        taken = dict(self._records[:count])
        del self._records[:count]
        self._marked = [(at, length - count) for at, length in self._marked if at > as_of]
        return taken


class ProfileFollower:
    """Reads every partition of `profiles` from its beginning, without a group, and keeps the table up to date.

    Parameters
    ----------
    table:
        The profiles that scoring looks up.
    applied:
        Awaited after every step that was applied.
    """

    def __init__(
        self,
        settings: ScoringSettings,
        table: ProfileTable,
        metrics: ScoringMetrics,
        applied: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._table = table
        self._metrics = metrics
        self._applied = applied
        self._pending: dict[int, PendingStep] = {}
        self._keeper_epoch = 0
        self._decode = msgspec.json.Decoder(TerminalProfile).decode
        self.caught_up = asyncio.Event()

    async def follow(self) -> None:
        """Run until cancelled."""
        topic = self._settings.topics.profiles
        consumer = AIOKafkaConsumer(
            **aiokafka_settings(self._settings.broker),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=self._settings.fetch_wait_ms,
        )
        await consumer.start()
        try:
            described = await asyncio.to_thread(describe_topics, self._settings.broker, [topic])
            partitions = [TopicPartition(topic, p) for p in range(described[topic].partitions)]
            self._pending = {partition.partition: PendingStep() for partition in partitions}
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            while True:
                for partition, records in (await consumer.getmany(timeout_ms=100, max_records=_BATCH)).items():
                    self._take(self._pending[partition.partition], records)
                await self._apply()
                if not self.caught_up.is_set() and all([await consumer.position(p) >= end for p, end in ends.items()]):
                    self.caught_up.set()
        finally:
            await consumer.stop()

    def _take(self, pending: PendingStep, records: list[ConsumerRecord]) -> None:
        for record in records:
            try:
                if not self._is_outdated(record):
                    self._take_one(pending, record)
            except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError, AttributeError) as error:
                # No keeper wrote it. Every scorer reads the topic from its beginning, so nobody buries it.
                self._metrics.profiles_refused.inc()
                place = f"{record.topic}[{record.partition}] offset {record.offset}"
                log.warning("%s is passed over: %s", place, one_line(error))

    def _take_one(self, pending: PendingStep, record: ConsumerRecord) -> None:
        if record.value is not None and len(record.value) > wire.LONGEST_RECORD_BYTES:
            raise ValueError(f"{len(record.value)} bytes; at most {wire.LONGEST_RECORD_BYTES} are read")
        if record.key == MARKER_KEY:
            pending.mark(msgspec.json.decode(record.value or b"", type=ProfileMarker).as_of)
        elif record.value is None:
            pending.add(record.key.decode(), None)
        else:
            profile = self._decode(record.value)
            pending.add(profile.terminal_id, profile)

    def _is_outdated(self, record: ConsumerRecord) -> bool:
        """Whether a keeper wrote it that had lost its lease to another before."""
        epoch = next((int(value) for name, value in record.headers if name == KEEPER_EPOCH_HEADER), 0)
        self._keeper_epoch = max(self._keeper_epoch, epoch)
        return epoch < self._keeper_epoch

    async def _apply(self) -> None:
        as_of = min((pending.as_of for pending in self._pending.values()), default=0)
        if as_of <= self._table.as_of:
            return
        latest: dict[str, TerminalProfile | None] = {}
        for pending in self._pending.values():
            latest |= pending.take(as_of)
        step = await _prepared(latest)
        self._table.apply_counts(as_of, *step)
        self._metrics.profiles_as_of.set(as_of / 1000)
        await self._applied()


async def _prepared(latest: Mapping[str, TerminalProfile | None]) -> StepArrays:
    """Return a step as arrays; only they are applied at once, so that many terminals hold no batch up."""
    records, parts = iter(latest.items()), [StepArrays.of({})]
    while some := dict(itertools.islice(records, _SLICE)):
        parts.append(StepArrays.of(some))
        await asyncio.sleep(0)
    return StepArrays.concat(parts)
