"""When a step of event time is over: told by a tick, or seen from what the partitions brought."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.schema.clock_tick import ClockTick

Times = npt.NDArray[np.int64]

RECENT_ROWS = 41
"""A partition's time is the median event time of so many last rows: 20 of them may carry any time at all. With an odd
number the median is a time that was seen. A quiet partition lags by 20 of its rows; profiles count transactions 7
days old, so that costs little."""

MOST_STEPS_IN_A_ROW = 8
"""Further behind than two event days (a gap in the data, a restart after long), only the last step is closed: its
profiles hold all that changed since the last one, and nobody could have used those between."""


@dataclass(frozen=True, slots=True)
class InputPositions:
    """How far the inputs have been counted, by partition: the next offset of `transactions` and of `labels`."""

    transactions: Mapping[int, int]
    labels: Mapping[int, int]

    def reach(self, tick: ClockTick) -> bool:
        """Whether everything that the tick says precedes it has been counted."""
        return not self.missing(tick)

    def missing(self, tick: ClockTick) -> list[str]:
        """What is not counted yet, in words."""
        wanted = (("transactions", tick.transactions_end, self.transactions), ("labels", tick.labels_end, self.labels))
        return [
            f"{topic} {partition} at {positions.get(partition, 0)} of {end}"
            for topic, ends, positions in wanted
            for partition, end in ends.items()
            if positions.get(partition, 0) < end
        ]


class EventClock:
    """Decides which steps are over; knows nothing of Kafka.

    A step T closes when a tick of at least T has been read and the positions have reached it. Where no unreached tick
    is open, it also closes once the slowest partition that is not idle has come to T. The time of a partition never
    goes back, and a few events far ahead do not move it.

    Parameters
    ----------
    step_ms: length of a step; steps end at its multiples.
    partitions: number of partitions of `features`.
    idle_after_s: a partition is idle when others have brought rows for so long (wall time) and it has not.
    """

    def __init__(self, step_ms: int, partitions: int, idle_after_s: float) -> None:
        self.step_ms = step_ms
        self.last_step = 0
        self._idle_after_s = idle_after_s
        self._recent: list[Times] = [np.empty(0, np.int64) for _ in range(partitions)]
        self._time = np.zeros(partitions, np.int64)
        self._quiet_since_s: list[float | None] = [None] * partitions
        self._latest_row_s = 0.0
        self._ticks: list[ClockTick] = []

    def see_rows(self, partition: int, event_times: Times, now_s: float) -> None:
        """Take note of rows that a partition brought, in their order."""
        if not len(event_times):
            return
        recent = np.concatenate((self._recent[partition], event_times[-RECENT_ROWS:]))[-RECENT_ROWS:]
        self._recent[partition] = recent
        self._latest_row_s = now_s
        self._quiet_since_s = [now_s if since is None else since for since in self._quiet_since_s]
        self._quiet_since_s[partition] = None
        if len(recent) == RECENT_ROWS:
            self._time[partition] = max(int(self._time[partition]), int(np.median(recent)))

    def see_tick(self, tick: ClockTick) -> None:
        """Take note of a tick; one of a step that is closed already changes nothing."""
        if tick.as_of > self.last_step:
            self._ticks.append(tick)

    def due_steps(self, positions: InputPositions) -> list[int]:
        """Steps to close now, in order."""
        reached = [tick.as_of for tick in self._ticks if positions.reach(tick)]
        until = max(reached, default=0)
        if len(reached) == len(self._ticks):
            until = max(until, self.slowest_time())
        until -= until % self.step_ms
        if until <= self.last_step:
            return []
        first = self.last_step + self.step_ms
        if not self.last_step or until - first >= MOST_STEPS_IN_A_ROW * self.step_ms:
            return [until]
        return list(range(first, until + 1, self.step_ms))

    def close(self, as_of: int) -> None:
        """Say that a step has been closed."""
        self.last_step = as_of
        self._ticks = [tick for tick in self._ticks if tick.as_of > as_of]

    def slowest_time(self) -> int:
        """Event time that every partition which is not idle has come to; 0 when that is not known."""
        awake = [
            int(time)
            for time, since_s in zip(self._time, self._quiet_since_s, strict=True)
            if since_s is None or self._latest_row_s - since_s < self._idle_after_s
        ]
        return min(awake, default=0)

    def waiting_for(self, positions: InputPositions) -> list[str]:
        """What the earliest open tick still waits for, in words."""
        return next((missing for tick in self._ticks if (missing := positions.missing(tick))), [])

    @property
    def open_ticks(self) -> tuple[ClockTick, ...]:
        """Ticks of steps that are not closed yet."""
        return tuple(self._ticks)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """State of the partitions as arrays; wall times are left out: after a restart every partition starts awake."""
        lengths = np.array([len(recent) for recent in self._recent], np.int64)
        return {"time": self._time.copy(), "recent": np.concatenate(self._recent), "recent_lengths": lengths}

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]], last_step: int, ticks: list[ClockTick]) -> None:
        """Go on from a snapshot."""
        self._time = np.array(arrays["time"], np.int64)
        ends = np.cumsum(np.asarray(arrays["recent_lengths"], np.int64))
        self._recent = [np.array(part, np.int64) for part in np.split(np.asarray(arrays["recent"]), ends[:-1])]
        self.last_step = last_step
        self._ticks = list(ticks)
