"""What scoring keeps of a partition: its windows, its control group, how far it has come; no Kafka, Faust or Redis."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.control_group import NO_CONTROL_GROUP, ControlGroup
from models.features.card_state import CardState
from models.schema.columns import TransactionColumns
from models.schema.score import Role
from models.schema.topics import DAY_MS, LONGEST_WINDOW_DAYS
from models.scorer import LoadedModel
from stream_app.scoring.feature_buffer import FeatureBuffer
from stream_app.scoring.record_batch import RecordBatch


class PublishedScore(NamedTuple):
    """What `scores` already holds for an offset whose feature row is missing."""

    score: float
    decision: str
    model_version: str
    pass_probability: float = 1.0
    role: Role = "champion"


@dataclass(frozen=True, slots=True)
class LaneIdentity:
    """Which partition of which topic a lane scores, and under whose name."""

    partition: int
    partitions: int
    topic_id: str
    epoch: int
    writer: str


@dataclass(frozen=True, slots=True)
class LaneStart:
    """Where a lane begins.

    Offsets from `state_offset` are fed to the card windows; those from `output_offset` are scored for output too.
    `missing` are offsets in between whose score was published and whose feature row was not: they are computed again
    with the model in `models` that the score names. `cold_before` is the event time until which windows that could not
    be rebuilt are not full: what happened before it is marked degraded (0: they are full; None: a longest window after
    the first transaction).
    """

    state_offset: int
    output_offset: int
    missing: Mapping[int, PublishedScore] = field(default_factory=dict)
    models: Mapping[str, LoadedModel] = field(default_factory=dict)
    cold_before: int | None = 0


class Lane:
    """What scoring keeps of one partition between two batches.

    Parameters
    ----------
    identity:
        Partition, topic id, epoch and writer that stand on every output.
    start:
        Where state and output begin.
    cards:
        Card windows as restored for `start.state_offset`.
    control:
        Lets some declines pass; None lets none.
    log:
        Holds feature rows back for a while; None sends those of each batch with its scores.
    """

    def __init__(
        self,
        identity: LaneIdentity,
        start: LaneStart,
        cards: CardState,
        control: ControlGroup | None = None,
        log: FeatureBuffer | None = None,
    ) -> None:
        self.identity = identity
        self.start = start
        self.cards = cards
        self.control = control or ControlGroup(NO_CONTROL_GROUP, day_cap=0)
        self.log = FeatureBuffer() if log is None else log
        self.next_offset = start.state_offset
        self.cold_before = start.cold_before
        self._reported = start.output_offset

    def take(self, batch: RecordBatch) -> tuple[RecordBatch | None, RecordBatch | None]:
        """Go on behind a batch; return its records that are replayed for state only, and those that are scored.

        Records that were seen before are in neither; None where there are none.
        """
        _, ahead = batch.split(self.next_offset)
        if ahead is None:
            return None, None
        self.next_offset = int(ahead.offsets[-1]) + 1
        return ahead.split(self.start.output_offset)

    def reported(self, last_offset: int) -> int:
        """Note up to where `features` will tell; return from where on it does not yet."""
        first, self._reported = self._reported, last_offset + 1
        return first

    def pass_to(self, offset: int) -> bool:
        """Go on from an offset when none before it holds a record any more; returns whether that is news."""
        if offset <= self.next_offset:
            return False
        self.next_offset = offset
        return True

    def advance(self, columns: TransactionColumns, values: NDArray[np.float32] | None) -> NDArray[np.uint8]:
        """Take transactions into the card windows; return their status bits uint8[n], see `CardState.advance`.

        `values`, float32[n, features], gets the own and card columns; None leaves only the windows behind.
        """
        status = np.zeros(len(columns), np.uint8)
        if self.cold_before is None and len(columns):
            self.cold_before = int(columns.event_time[0]) + LONGEST_WINDOW_DAYS * DAY_MS
        self.cards.advance(columns, values, status)
        return status
