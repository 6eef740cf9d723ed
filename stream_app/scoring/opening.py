"""Opening a partition: where its state and its output go on, or one line saying why they must not."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from numpy.typing import NDArray

from models.access.kafka_settings import aiokafka_settings
from models.audit.chain import Entry
from models.errors import FraudstreamError
from models.features.card_state import CardState
from models.features.feature_set import FeatureSet
from models.schema.cloud_event import event_id
from models.schema.decoding import decode_transactions
from models.schema.topics import DAY_MS, LONGEST_WINDOW_DAYS
from stream_app.checkpoints import CheckpointStore
from stream_app.scoring.checkpointing import Restored, kind_of, restore
from stream_app.scoring.commit_metadata import Committed, committed_offsets
from stream_app.scoring.lane import LaneIdentity, PublishedScore
from stream_app.scoring.output_tail import OutputTail, read_missing, read_output_tail, read_range
from stream_app.scoring.settings import ScoringSettings
from stream_app.topic_admin import TopicDescription, describe_topics

log = logging.getLogger(__name__)

AT_A_TIME = 4
_NEW_EPOCH = "if that is meant, start once with --new-epoch REASON (it is written to the audit)"


class OpeningRefusedError(FraudstreamError):
    """Raised when going on would lose, skip or repeat a transaction, or score it with a history that is not its own."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A partition ready to be scored."""

    identity: LaneIdentity
    state_offset: int
    output_offset: int
    missing: dict[int, PublishedScore]
    cards: CardState
    cold_before: int | None
    end: int
    took_s: float
    control_used: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What the broker says of all partitions at once: the topics, and what the group has committed."""

    topics: dict[str, TopicDescription]
    committed: dict[int, Committed]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the broker and the storage say of one partition."""

    partition: int
    topics: dict[str, TopicDescription]
    committed: dict[int, Committed]
    begin: int
    end: int
    tail: OutputTail


class Opening:
    """Opens partitions, a few at a time, with consumers of its own: most of the time each waits for the broker.

    Parameters
    ----------
    settings:
        The worker's settings.
    store:
        Checkpoints.
    feature_set:
        Whose card windows are restored.
    """

    def __init__(self, settings: ScoringSettings, store: CheckpointStore, feature_set: FeatureSet) -> None:
        self._settings = settings
        self._store = store
        self._feature_set = feature_set
        self._idle: asyncio.Queue[AIOKafkaConsumer] = asyncio.Queue()
        self._consumers: list[AIOKafkaConsumer] = []

    async def start(self) -> None:
        """Connect."""
        for _ in range(AT_A_TIME):
            consumer = AIOKafkaConsumer(
                # It turns from topic to topic, and each time waits so long for what it has not asked about before.
                **{**aiokafka_settings(self._settings.broker), "retry_backoff_ms": 10},
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=20,
                max_partition_fetch_bytes=8 << 20,
            )
            await consumer.start()
            self._consumers.append(consumer)
            self._idle.put_nowait(consumer)

    async def stop(self) -> None:
        """Disconnect."""
        for consumer in self._consumers:
            await consumer.stop()

    async def survey(self) -> Survey:
        """Ask the broker what is the same for every partition of one assignment: nobody else commits to those now."""
        settings, names = self._settings, self._settings.topics
        asked = [names.transactions, names.scores, names.features]
        topics, committed = await asyncio.gather(
            asyncio.to_thread(describe_topics, settings.broker, asked),
            committed_offsets(settings.broker, settings.group, names.transactions),
        )
        return Survey(topics, committed)

    async def open(self, partition: int, writer: str, survey: Survey) -> Opened:
        """Find where a partition goes on; `survey` was made since it was assigned.

        Raises
        ------
        OpeningRefusedError
            With the reason and the remedy on one line.
        """
        consumer = await self._idle.get()
        try:
            return await self._open(consumer, partition, writer, survey)
        finally:
            self._idle.put_nowait(consumer)

    async def _open(self, consumer: AIOKafkaConsumer, partition: int, writer: str, survey: Survey) -> Opened:
        started = time.monotonic()
        known = await self._known(consumer, partition, survey)
        self._check_topics(known)
        epoch, continued = self._epoch(known)
        source = known.topics[self._settings.topics.transactions]
        kind = kind_of(source.topic_id, partition, self._feature_set.version)
        tail_end = (
            known.tail.last_offset + 1
            if continued and known.tail.last_offset is not None and known.tail.epoch == epoch
            else None
        )
        committed = known.committed.get(partition) if continued else None
        restored = await asyncio.to_thread(restore, self._store, kind, tail_end, epoch) if continued else None
        position = max([tail_end or 0, committed.offset if committed else 0, restored.offset if restored else 0])
        self._check_position(known, position)
        if restored and restored.partitions != source.partitions:
            raise OpeningRefusedError(self._grown(partition, restored.partitions, source.partitions))
        position = max(position, known.begin)
        missing = await self._missing(consumer, known, restored, committed) if tail_end is not None else {}
        state_offset, cold_before = await self._state_offset(consumer, known, restored, position)
        identity = LaneIdentity(partition, source.partitions, source.topic_id, epoch, writer)
        parts = restored.parts if restored and state_offset == restored.offset else []
        cards = await asyncio.to_thread(self._state_of, parts)
        took_s = time.monotonic() - started
        used = known.tail.control_used() if tail_end is not None else ""
        return Opened(identity, state_offset, position, missing, cards, cold_before, known.end, took_s, used)

    def _state_of(self, parts: list[dict[str, NDArray[Any]]]) -> CardState:
        cards = CardState(self._feature_set)
        cards.restore(parts)
        return cards

    async def check_input(self, topic_ids: set[str]) -> None:
        """Raise OpeningRefusedError when the input has been recreated since it was opened: its offsets begin again."""
        name = self._settings.topics.transactions
        found = (await asyncio.to_thread(describe_topics, self._settings.broker, [name]))[name].topic_id
        if topic_ids != {found}:
            raise OpeningRefusedError(
                f"{name} was recreated while it was scored: its id was {', '.join(sorted(topic_ids))} and is {found}; "
                "nothing more is scored; start again to be told the remedy"
            )

    async def _known(self, consumer: AIOKafkaConsumer, partition: int, survey: Survey) -> _Known:
        source = TopicPartition(self._settings.topics.transactions, partition)
        # The input's end after the output's: another owner may still have scored what came in between.
        tail = await read_output_tail(consumer, TopicPartition(self._settings.topics.scores, partition))
        begin = (await consumer.beginning_offsets([source]))[source]
        end = (await consumer.end_offsets([source]))[source]
        return _Known(partition, survey.topics, survey.committed, begin, end, tail)

    def _check_topics(self, known: _Known) -> None:
        names = self._settings.topics
        source, scores, features = (known.topics[name] for name in (names.transactions, names.scores, names.features))
        if not source.partitions == scores.partitions == features.partitions:
            raise OpeningRefusedError(
                f"{source.name} has {source.partitions} partitions, {scores.name} {scores.partitions}, "
                f"{features.name} {features.partitions}: "
                "they must be equal, because a score lies on its transaction's partition; add partitions to those "
                "that have fewer"
            )
        if scores.retention_ms >= 0 and (source.retention_ms < 0 or scores.retention_ms < source.retention_ms):
            raise OpeningRefusedError(
                f"{scores.name} keeps {scores.retention_ms} ms and {source.name} {source.retention_ms} ms: scores "
                f"must be kept as long as "
                f"transactions, or a restart scores again what is already scored; raise retention.ms of {scores.name}"
            )

    def _epoch(self, known: _Known) -> tuple[int, bool]:
        """The epoch to write, and whether what is known continues (False: it belongs to another input)."""
        source = known.topics[self._settings.topics.transactions]
        for partition, committed in known.committed.items():
            metadata = committed.metadata
            if metadata and metadata.topic_id == source.topic_id and metadata.partitions != source.partitions:
                raise OpeningRefusedError(self._grown(partition, metadata.partitions, source.partitions))
        mine = known.committed.get(known.partition)
        last = known.tail
        before, epoch, scored_to = last.topic_id, last.epoch, last.last_offset
        if mine and mine.metadata and (mine.metadata.epoch > epoch or before is None):
            before, epoch = mine.metadata.topic_id, mine.metadata.epoch
            scored_to = last.last_offset if last.epoch == epoch else None
        recreated = before is not None and before != source.topic_id
        shortened = scored_to is not None and scored_to >= known.end
        if not recreated and not shortened:
            return epoch, True
        if self._settings.new_epoch is not None:
            ids = {"partition": known.partition}
            log.warning(
                "partition %d: new epoch %d: %s", known.partition, epoch + 1, self._settings.new_epoch, extra=ids
            )
            return epoch + 1, False
        if recreated:
            raise OpeningRefusedError(
                f"{source.name} was recreated: its id is {source.topic_id}, the scores of partition "
                f"{known.partition} were made from "
                f"{before}, so its first offsets would be taken for scored; {_NEW_EPOCH}"
            )
        raise OpeningRefusedError(
            f"the last score of partition {known.partition} is for offset {known.tail.last_offset}, but "
            f"{source.name} ends at {known.end}: "
            f"the input was shortened or restored; {_NEW_EPOCH}"
        )

    def _check_position(self, known: _Known, position: int) -> None:
        name = self._settings.topics.transactions
        if position > known.end:
            raise OpeningRefusedError(
                f"partition {known.partition} was scored up to offset {position}, but {name} ends at {known.end}: "
                f"the input was shortened or restored; {_NEW_EPOCH}"
            )
        if 0 < position < known.begin and self._settings.new_epoch is None:
            raise OpeningRefusedError(
                f"{name} partition {known.partition}: offsets {position} to {known.begin - 1} were deleted before "
                f"they were scored; "
                f"raise its retention, and {_NEW_EPOCH}"
            )

    def _grown(self, partition: int, before: int, now: int) -> str:
        name = self._settings.topics.transactions
        return (
            f"{name} had {before} partitions when partition {partition} was last scored and has {now} now: cards "
            f"have moved to partitions "
            "that do not hold their history; recreate the topic with the new count and replay it, then start with "
            "--new-epoch REASON"
        )

    async def _missing(
        self, consumer: AIOKafkaConsumer, known: _Known, restored: Restored | None, committed: Committed | None
    ) -> dict[int, PublishedScore]:
        since = max(restored.offset if restored else known.begin, committed.offset if committed else 0)
        names = self._settings.topics
        scores, features = (TopicPartition(name, known.partition) for name in (names.scores, names.features))
        return await read_missing(consumer, scores, features, known.tail, since)

    async def _state_offset(
        self, consumer: AIOKafkaConsumer, known: _Known, restored: Restored | None, position: int
    ) -> tuple[int, int | None]:
        """Where the state begins, and `cold_before` as a lane's start has it."""
        if restored and restored.offset >= known.begin:
            return restored.offset, restored.cold_before
        if known.begin == 0 or await self._reaches_back(consumer, known, position):
            return known.begin, 0
        if self._settings.accept_cold_state:
            return known.begin, None
        raise OpeningRefusedError(
            f"partition {known.partition}: no usable checkpoint in {self._settings.checkpoints!r}, and "
            f"{self._settings.topics.transactions} "
            f"does not reach back {LONGEST_WINDOW_DAYS} days before offset {position}: card windows cannot be rebuilt; "
            "restore the checkpoints, or start with --accept-cold-state (scores are marked degraded)"
        )

    async def _reaches_back(self, consumer: AIOKafkaConsumer, known: _Known, position: int) -> bool:
        """Whether the input still holds the longest window before the position; an emptied one does not."""
        partition = TopicPartition(self._settings.topics.transactions, known.partition)
        at = min(position, known.end - 1)
        times = []
        for start in (known.begin, max(known.begin, at - 100)):
            records = await read_range(consumer, partition, start, min(start + 101, known.end))
            transactions, _, _ = decode_transactions([record.value for record in records])
            times.append([transaction.event_time for transaction in transactions])
        return bool(times[0] and times[1]) and max(times[1]) - min(times[0]) >= (LONGEST_WINDOW_DAYS + 1) * DAY_MS


def epoch_entry(opened: Opened, settings: ScoringSettings) -> Entry:
    """Return what the audit says of a new epoch."""
    identity = opened.identity
    return Entry(
        kind="new-epoch",
        actor=settings.actor,
        reason=settings.new_epoch or "",
        subject=f"{settings.topics.transactions}/{identity.partition}",
        details={"topic_id": identity.topic_id, "epoch": identity.epoch, "writer": identity.writer},
        event_id=event_id("new-epoch", identity.topic_id, identity.partition, identity.epoch),
    )
