"""The event time that the tables are complete up to, as far as anybody can tell."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.features.profile_keeper import STEP_MS
from models.schema.clock_tick import ClockTick
from stream_app.archive.reader_rule import source_key, source_of
from stream_app.event_clock import RECENT_ROWS, EventClock, InputPositions

Times = npt.NDArray[np.int64]

_NOTHING: Final = -1


@dataclass(frozen=True, slots=True)
class Archived:
    """How far the tables reach; by partition.

    Attributes
    ----------
    transactions, labels: next offset.
    covered: key behind the last offset of `transactions` that feature messages cover.
    feature_rows: key of the last feature row.
    scores: key of the last score that counts.
    """

    transactions: Mapping[int, int]
    labels: Mapping[int, int]
    covered: Mapping[int, int]
    feature_rows: Mapping[int, int]
    scores: Mapping[int, int]

    def positions(self) -> InputPositions:
        """Up to where transactions are in the tables with their scores and feature rows, and labels."""
        reached = {partition: self._reached(partition) for partition in self.covered}
        return InputPositions(reached, self.labels)

    def _reached(self, partition: int) -> int:
        epoch, behind = source_of(self.covered[partition])
        score = self.scores.get(partition, _NOTHING)
        if score < self.feature_rows.get(partition, _NOTHING):  # the feature rows have come before their scores
            behind = source_of(score)[1] + 1 if score >= source_key(epoch, 0) else 0
        return min(behind, self.transactions.get(partition, 0))


@dataclass(frozen=True, slots=True)
class _Pending:
    """Event times of a partition's rows, and what must be archived before they may move the watermark."""

    partition: int
    times: Times
    last_row: int
    labels_ends: Mapping[int, int]
    at_s: float

    def counts(self, archived: Archived) -> bool:
        return (
            archived.scores.get(self.partition, _NOTHING) >= self.last_row
            and archived.transactions.get(self.partition, 0) > source_of(self.last_row)[1]
            and all(archived.labels.get(partition, 0) >= end for partition, end in self.labels_ends.items())
        )


class Watermark:
    """Moves on in steps of six event hours and never goes back.

    With ticks it follows them: one counts when everything that precedes it is archived. Without, it is the event time
    of the slowest partition that is not idle, by feature rows whose score, transaction and labels are archived: the
    labels that were in the topic when the rows came.

    Parameters
    ----------
    partitions: number of partitions of `features`.
    idle_after_s: when a partition no longer holds the watermark back, in wall time.
    at: where it stood, ms.
    """

    def __init__(self, partitions: int, idle_after_s: float, at: int) -> None:
        self._clock = EventClock(STEP_MS, partitions, idle_after_s)
        self._clock.last_step = at
        self._pending: deque[_Pending] = deque()

    @property
    def at(self) -> int:
        """Where it stands, ms; 0 when nothing is known."""
        return self._clock.last_step

    def see_tick(self, tick: ClockTick) -> None:
        """Take note of what a driver of event time says."""
        self._clock.see_tick(tick)

    def see_rows(
        self, partition: int, times: Times, last_row: int, labels_ends: Mapping[int, int], now_s: float
    ) -> None:
        """Take note of feature rows that are being archived.

        Parameters
        ----------
        partition: partition of `features`.
        times: event times, in the rows' order.
        last_row: key of the last of them.
        labels_ends: ends of the partitions of `labels` now.
        now_s: wall time, s.
        """
        if len(times):
            self._pending.append(_Pending(partition, times[-RECENT_ROWS:], last_row, labels_ends, now_s))

    def advance(self, archived: Archived) -> bool:
        """Move on to where the tables reach; whether it moved."""
        for _ in range(len(self._pending)):
            rows = self._pending.popleft()
            if rows.counts(archived):
                self._clock.see_rows(rows.partition, rows.times, rows.at_s)
            else:
                self._pending.append(rows)
        due = self._clock.due_steps(archived.positions())
        if due:
            self._clock.close(due[-1])
        return bool(due)

    def waiting_for(self, archived: Archived) -> list[str]:
        """What the earliest open tick still waits for, in words."""
        return self._clock.waiting_for(archived.positions())
