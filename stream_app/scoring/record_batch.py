"""What goes into scoring, one batch of records a partition and poll, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.control_group import PassMark
from models.schema.decoding import Rejection
from models.schema.feature_batch import FeatureBatchHeader
from stream_app.scoring.batch_scores import ModelFailure
from stream_app.scoring.feature_buffer import Together


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records of one partition, as one poll brought them.

    `overdue` says that the first has waited longer than the age limit and that more wait behind the last: the worker is
    above its capacity, or catches up. `first_ms` and `last_ms` are Kafka's stamps of the first and last record, 0 where
    nobody asks. `links` are the W3C traceparents of some of their senders' spans.
    """

    partition: int
    generation: int
    offsets: NDArray[np.int64]
    keys: list[bytes | None]
    values: list[bytes | None]
    overdue: bool = False
    first_ms: int = 0
    last_ms: int = 0
    links: tuple[str, ...] = ()

    @classmethod
    def empty(cls, partition: int, generation: int) -> "RecordBatch":
        """No records: what the lane's log holds back is to go out."""
        return cls(partition, generation, np.zeros(0, np.int64), [], [])

    def split(self, offset: int) -> tuple["RecordBatch | None", "RecordBatch | None"]:
        """The records below an offset, and those at and above it; None where there are none."""
        if not len(self.offsets):
            return None, None
        if self.offsets[0] >= offset:
            return None, self
        if self.offsets[-1] < offset:
            return self, None
        at = int(np.searchsorted(self.offsets, offset))
        return self._part(slice(at)), self._part(slice(at, None))

    def _part(self, rows: slice) -> "RecordBatch":
        offsets, keys, values = self.offsets[rows], self.keys[rows], self.values[rows]
        first_ms, last_ms = self.first_ms, self.last_ms
        return RecordBatch(
            self.partition, self.generation, offsets, keys, values, self.overdue, first_ms, last_ms, self.links
        )


class DeadRecord(NamedTuple):
    """A record that was not scored, and why."""

    offset: int
    key: bytes | None
    rejection: Rejection


class FeatureMessage(NamedTuple):
    """One message for the topic `features`."""

    header: FeatureBatchHeader
    value: bytes


@dataclass(slots=True)
class Scored:
    """What came of one record batch; `next_offset` is where the partition goes on once all of it is acknowledged.

    `logged` is what is to be told of feature rows, a message each; `features` are these messages once they are made.
    `held` says that feature rows of offsets below `next_offset` are not among them: they come with a later batch.
    `control_used` are the control group's day counts before the batch, `marks` the rows of `scores` that were drawn,
    `drawable` those that would have been with room under the day's cap, `event_time` is that of the row in the middle.
    `model_seconds` is what each model took while some are placed, `model_failures` those that could not be used.
    """

    next_offset: int
    scores: list[tuple[bytes, bytes]] = field(default_factory=list)
    logged: list[Together] = field(default_factory=list)
    features: list[FeatureMessage] = field(default_factory=list)
    dead: list[DeadRecord] = field(default_factory=list)
    held: bool = False
    flagged: int = 0
    duplicates: int = 0
    late: int = 0
    too_late: int = 0
    misrouted: int = 0
    misrouted_card: str | None = None
    degraded: int = 0
    control_used: str = ""
    marks: Mapping[int, PassMark] = field(default_factory=dict)
    control: int = 0
    drawable: int = 0
    event_time: int = 0
    model_seconds: Mapping[str, float] = field(default_factory=dict)
    model_failures: list[ModelFailure] = field(default_factory=list)
