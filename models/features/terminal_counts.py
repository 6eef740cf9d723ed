"""Counts of mature transactions by terminal and window, taken afresh at every step from the transactions themselves."""

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.features.card_entry import DAY_MS
from models.features.hash_index import HashIndex
from models.features.kernel_sources import SOURCES
from models.features.kernel_types import Flags, Int, Ints, Longs, Record, Records
from models.features.profile_table import (
    APPROVED,
    DECLINES,
    FIRST_UNEXPLAINED,
    FRAUD_RUN,
    FRAUDS,
    LAST_GENUINE,
    NEVER,
    TIMES,
    UNEXPLAINED,
    WINDOWS,
)
from models.schema.terminal_profile import PROFILE_WINDOWS_DAYS

STEP_MS: Final = 6 * 3_600_000
"""Event time between two steps. Measured, mean AP of four test weeks: a day .741, 6 hours .753, one hour .757."""

_STEPS_A_DAY: Final = DAY_MS // STEP_MS
_WINDOW_STEPS: Final = np.array([days * _STEPS_A_DAY for days in PROFILE_WINDOWS_DAYS], np.int64)
_LONGEST_STEPS: Final = int(_WINDOW_STEPS[-1])

Arrays = dict[str, npt.NDArray[Any]]
"""A part of a checkpoint: named arrays, no objects in them."""

_UNUSED: Final = -(2**31)
"""In `matures`: a row that no transaction has taken."""

DECLINED, EXPLAINED, FRAUD = 1, 2, 4
"""Flags of a stored transaction."""

ROW: Final = np.dtype(
    [
        ("transaction", np.uint64),
        ("event_time", np.int64),
        ("terminal", np.int32),
        ("matures", np.int32),  # number of the first step (as_of / STEP_MS) that counts it
        ("flags", np.uint8),
    ],
    align=True,
)
"""One stored transaction, 32 bytes."""


class StepError(FraudstreamError):
    """Raised when a step is not at a multiple of the step length or not after the last one."""


@dataclass(frozen=True, slots=True)
class CountedStep:
    """The terminals whose counts differ from the step before.

    Attributes
    ----------
    terminals: int32[k] numbers of the terminals.
    counts: int32[k, 4, windows] as `ProfileTable.apply_counts` takes them; all zero for a terminal to remove.
    times: int64[k, 3] as `ProfileTable.apply_counts` takes them.
    youngest_fraud_at: largest event time of any fraud counted so far, -1 for none.
    """

    as_of: int
    terminals: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]
    youngest_fraud_at: int


@numba.njit(cache=True)
def _count(
    rows: Records,
    step: Int,
    counts: Ints,
    times: Longs,
    sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> Int:
    """Add every mature row to its terminal's windows; returns the largest event time of a fraud, -1 for none."""
    youngest = np.int64(NEVER)
    for i in range(rows.size):
        row = rows[i]
        age = step - row.matures
        if 0 <= age < _LONGEST_STEPS:
            window = 0
            while age >= _WINDOW_STEPS[window]:
                window += 1
            _count_one(row, counts[row.terminal], window, times[row.terminal])
            if row.flags & FRAUD:
                youngest = max(youngest, row.event_time)
    for terminal in range(counts.shape[0]):
        for kind in range(counts.shape[1]):
            for window in range(1, counts.shape[2]):
                counts[terminal, kind, window] += counts[terminal, kind, window - 1]
    return youngest


@numba.njit(cache=False)
def _count_one(row: Record, counts: Ints, window: Int, times: Longs) -> None:
    if row.flags & DECLINED:
        counts[DECLINES, window] += 1
    else:
        counts[APPROVED, window] += 1
    if row.flags & FRAUD:
        counts[FRAUDS, window] += 1
        if row.flags & EXPLAINED == 0:
            counts[UNEXPLAINED, window] += 1
            if times[FIRST_UNEXPLAINED] == NEVER or row.event_time < times[FIRST_UNEXPLAINED]:
                times[FIRST_UNEXPLAINED] = row.event_time
    elif row.flags & DECLINED == 0:
        times[LAST_GENUINE] = max(times[LAST_GENUINE], row.event_time)


@numba.njit(cache=True)
def _find_runs(
    rows: Records,
    step: Int,
    times: Longs,
    sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> None:
    """Note the first unexplained fraud after each terminal's last genuine transaction."""
    for i in range(rows.size):
        row = rows[i]
        if row.flags & (FRAUD | EXPLAINED) == FRAUD and 0 <= step - row.matures < _LONGEST_STEPS:
            known = times[row.terminal]
            if row.event_time > known[LAST_GENUINE] and (
                known[FRAUD_RUN] == NEVER or row.event_time < known[FRAUD_RUN]
            ):
                known[FRAUD_RUN] = row.event_time


class TerminalCounts:
    """Holds the transactions of the last maturity + 30 days and counts them by terminal.

    Why afresh: a step of 350,000 transactions takes a few milliseconds, and a count that is never updated cannot drift,
    whatever the order in which transactions, labels and reversals came. A transaction takes 32 bytes, and 24 to 48 of
    hash table.

    Parameters
    ----------
    maturity_ms: how old a transaction is when its labels are taken to be complete.
    """

    def __init__(self, maturity_ms: int) -> None:
        self.maturity_ms = maturity_ms
        self.step = -1
        self.youngest_fraud_at = NEVER
        self._rows = np.zeros(0, ROW)
        self._used = 0
        self._index = HashIndex()
        self._counts = np.zeros((0, 4, WINDOWS), np.int32)
        self._times = np.zeros((0, TIMES), np.int64)

    @property
    def _oldest_step(self) -> int:
        """The last step whose transactions are in no window any more."""
        return self.step - _LONGEST_STEPS

    def is_live(self, event_time: int) -> bool:
        """Whether a transaction of that time is in a window or ahead of one."""
        return -((event_time + self.maturity_ms) // -STEP_MS) > self._oldest_step

    def add(
        self,
        event_time: npt.NDArray[np.int64],
        terminal: npt.NDArray[np.int32],
        transaction: npt.NDArray[np.uint64],
        declined: npt.NDArray[np.bool_],
        explained: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.uint64]:
        """Store transactions that are still in or ahead of a window and not stored yet; returns those stored."""
        matures = -((event_time + self.maturity_ms) // -STEP_MS)
        wanted = np.flatnonzero(matures > self._oldest_step)
        rows = self._index.add(transaction[wanted])
        self._make_room()
        distinct, first = np.unique(rows, return_index=True)
        free = self._rows["matures"][distinct] <= self._oldest_step  # unused, or of a transaction long gone
        target, chosen = distinct[free], wanted[first[free]]
        self._rows["transaction"][target] = transaction[chosen]
        self._rows["event_time"][target] = event_time[chosen]
        self._rows["terminal"][target] = terminal[chosen]
        self._rows["matures"][target] = matures[chosen]
        self._rows["flags"][target] = DECLINED * declined[chosen] + EXPLAINED * explained[chosen]
        return transaction[chosen]

    def _make_room(self) -> None:
        used, self._used = self._used, self._index.count
        if self._used > len(self._rows):
            grown = np.zeros(max(1024, 2 * used, self._used), ROW)
            grown["matures"] = _UNUSED
            grown[:used] = self._rows[:used]
            self._rows = grown

    def mark(self, transaction: npt.NDArray[np.uint64], is_fraud: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Set or take back the fraud of distinct transactions; returns which of them are stored."""
        rows = self._index.look_up(transaction)
        stored = rows >= 0
        stored[stored] = self._rows["matures"][rows[stored]] > self._oldest_step
        flags = self._rows["flags"]
        without = flags[rows[stored]] & (DECLINED | EXPLAINED)
        flags[rows[stored]] = without + FRAUD * is_fraud[stored]
        return stored

    def check_step(self, as_of: int) -> None:
        """Raise StepError where a step cannot be closed."""
        if as_of % STEP_MS or as_of // STEP_MS <= self.step:
            raise StepError(
                f"step {as_of} must be a multiple of {STEP_MS} ms after the last step {self.step * STEP_MS}: "
                "close steps in order"
            )

    def close(self, as_of: int, terminals: int, *, everything: bool = False) -> CountedStep:
        """Count as of a step and return what changed since the last, or all terminals when `everything` is asked for.

        Parameters
        ----------
        as_of: event time of the step, a multiple of STEP_MS.
        terminals: how many terminals have numbers.

        Raises
        ------
        StepError: as_of is off the grid or not after the last step.
        """
        self.check_step(as_of)
        self.step = as_of // STEP_MS
        counts = np.zeros((terminals, 4, WINDOWS), np.int32)
        times = np.full((terminals, TIMES), NEVER, np.int64)
        youngest = _count(self._rows[: self._used], self.step, counts, times)
        _find_runs(self._rows[: self._used], self.step, times)
        self.youngest_fraud_at = max(self.youngest_fraud_at, youngest)
        before, times_before = self._padded(terminals)
        differs = (counts != before).any(axis=(1, 2)) | (times != times_before).any(axis=1)
        changed = np.flatnonzero(everything | differs)
        self._counts, self._times = counts, times
        self._forget()
        return CountedStep(as_of, changed.astype(np.int32), counts[changed], times[changed], self.youngest_fraud_at)

    def _padded(self, terminals: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the last step's counts with zeros for terminals that have come since."""
        new = terminals - len(self._counts)
        return (
            np.pad(self._counts, ((0, new), (0, 0), (0, 0))),
            np.pad(self._times, ((0, new), (0, 0)), constant_values=NEVER),
        )

    def _forget(self) -> None:
        """Drop transactions that left the longest window, once they are a quarter of all."""
        live = self._rows["matures"][: self._used] > self._oldest_step
        if 4 * np.count_nonzero(live) <= 3 * self._used:
            self._replace_rows(self._rows[: self._used][live])

    def _replace_rows(self, rows: npt.NDArray[np.void]) -> None:
        self._rows, self._used = rows, len(rows)
        self._index = HashIndex()
        self._index.add(np.ascontiguousarray(rows["transaction"]))

    def renumber(self) -> npt.NDArray[np.int64]:
        """Drop terminals that have neither counts nor transactions; returns the old numbers of those kept."""
        used: Flags = np.asarray(self._counts.any(axis=(1, 2)))
        terminals = self._rows["terminal"][: self._used]
        used = np.pad(used, (0, max(0, int(terminals.max(initial=-1)) + 1 - len(used))))
        used[terminals] = True
        kept = np.flatnonzero(used)
        numbers = np.full(len(used), -1, np.int32)
        numbers[kept] = np.arange(len(kept))
        self._rows["terminal"][: self._used] = numbers[terminals]
        counted = kept[kept < len(self._counts)]
        self._counts, self._times = self._counts[counted], self._times[counted]
        return kept

    def snapshot(self) -> Arrays:
        """Return the whole state as arrays."""
        return {
            "step": np.array([self.step, self.youngest_fraud_at], np.int64),
            "rows": self._rows[: self._used].copy(),
            "counts": self._counts.copy(),
            "times": self._times.copy(),
        }

    def restore(self, arrays: Arrays) -> None:
        """Replace the state by a snapshot."""
        self.step, self.youngest_fraud_at = (int(value) for value in arrays["step"])
        self._counts = arrays["counts"].copy()
        self._times = arrays["times"].copy()
        self._replace_rows(arrays["rows"].astype(ROW))
