"""The blocks of all cards of a partition, in a pool that grows by a little and never moves as a whole."""

from typing import Any, Final, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from models.features.card_entry import ENTRY
from models.features.card_measures import FIRST_TERMINAL, SCRATCH_LINES
from models.features.card_pool import (
    BLOCK_SIZES,
    END,
    FREE,
    HEADS,
    NO_BLOCK,
    RESERVE,
    RUN,
    RUN_SIZE,
    SEGMENT,
    SEGMENT_BITS,
    clean_segments,
    has_room,
    horizon_of,
    outdated,
    size_class_for,
    take_block,
)
from models.features.card_windows import spare
from models.features.kernel_sources import SOURCES
from models.features.kernel_types import Int, Ints, Longs, Octets, Records

_LEFT_BEHIND: Final = 0.08
"""Share of the pool that may be left behind by blocks that moved before segments are cleaned."""
_GROWTH: Final = 32
"""The pool grows by one in so many segments."""
_LEAST_RESERVE: Final = 4
_MOST_RESERVE: Final = 12
"""Free segments that a cleaning may fill, half each at the worst: 2 MB are moved in a few milliseconds."""

Array = TypeVar("Array", bound=npt.NDArray[Any])


@numba.njit(cache=True, nogil=True)
def _gather(
    start: Int,
    firsts: Longs,
    lengths: Ints,
    entries: Records,
    counts: Ints,
    gathered: Records,
    sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> None:
    """Copy the live transactions of the rows from `start` on; with an empty target only count them."""
    filled = 0
    for k in range(counts.size):
        first, length = firsts[start + k], np.int64(lengths[start + k])
        gone = outdated(first, length, horizon_of(first, length, entries), entries) if length else 0
        counts[k] = length - gone
        if gathered.size:
            for i in range(first + gone, first + length):
                gathered[filled] = entries[i]
                filled += 1


@numba.njit(cache=True, nogil=True)
def _place(
    start: Int,
    taken: Int,
    rows: Ints,
    counts: Ints,
    given: Records,
    firsts: Longs,
    lengths: Ints,
    size_classes: Octets,
    entries: Records,
    heads: Longs,
    live: Ints,
    free: Ints,
    sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> tuple[Int, Int]:
    """Lay the given cards from `start` on into fresh blocks; returns how many cards and entries were laid so far."""
    for k in range(start, rows.size):
        row, count = rows[k], np.int64(counts[k])
        size_class = size_class_for(count)
        if not has_room(BLOCK_SIZES[size_class], heads):
            return k, taken
        first = take_block(BLOCK_SIZES[size_class], heads, live, free)
        for i in range(count):
            entries[first + i] = given[taken + i]
        taken += count
        firsts[row], lengths[row], size_classes[row] = first, count, size_class
    return rows.size, taken


class CardBlocks:
    """Where each card's transactions lie, by row.

    Attributes
    ----------
    cards: uint64[rows].
    firsts, lengths, size_classes: of each row's block.
    entries: the pool.
    heads, live, free: see `card_pool`; `live` counts by segment, `free` is a stack.
    scratch, seen: for the measuring, as long as the longest card.
    """

    def __init__(self) -> None:
        self.cards = np.zeros(0, np.uint64)
        self.firsts = np.zeros(0, np.int64)
        self.lengths = np.zeros(0, np.int32)
        self.size_classes = np.zeros(0, np.uint8)
        self.entries = np.zeros(0, ENTRY)
        self.heads = np.zeros(HEADS, np.int64)
        self.live = np.zeros(0, np.int32)
        self.free = np.zeros(0, np.int32)
        self._measure_up_to(1024)
        self._grow(0)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, room to grow included."""
        rows = (self.cards, self.firsts, self.lengths, self.size_classes)
        pool = (self.entries, self.live, self.free, self.scratch, self.seen)
        return sum(array.nbytes for array in (*rows, *pool))

    def know(self, rows: npt.NDArray[np.int32], cards: npt.NDArray[np.uint64], count: int) -> None:
        """Take note of whose the rows are; there are `count` by now."""
        if count > len(self.cards):
            size = max(1024, 2 * len(self.cards), count)
            self.cards = _grown(self.cards, size, 0)
            self.firsts = _grown(self.firsts, size, 0)
            self.lengths = _grown(self.lengths, size, 0)
            self.size_classes = _grown(self.size_classes, size, NO_BLOCK)
        self.cards[rows] = cards

    def make_room(self, count: int, length: int) -> None:
        """Make room for one more transaction of a card that has `length`, among `count` cards."""
        if length + 1 > self.scratch.shape[1]:
            self._measure_up_to(2 * (length + 1))
        self._make_room_for(count, _size_for(spare.py_func(length)))

    def put(self, count: int, rows: npt.NDArray[np.int32], lengths: Any, entries: Any) -> None:
        """Give cards the transactions that they had, in place of any that they have."""
        self.size_classes[rows] = NO_BLOCK  # what they have is left behind until its segments are cleaned
        done = taken = 0
        while True:
            done, taken = _place(
                done, taken, rows, lengths, entries, self.firsts, self.lengths, self.size_classes, self.entries,
                self.heads, self.live, self.free,
            )  # fmt: skip
            if done == len(rows):
                return
            self._make_room_for(count, _size_for(int(lengths[done])))

    def gathered(self, start: int, stop: int) -> dict[str, npt.NDArray[np.generic]]:
        """Return the complete state of the rows from start up to stop."""
        lengths = np.zeros(stop - start, np.int32)
        _gather(start, self.firsts, self.lengths, self.entries, lengths, np.zeros(0, ENTRY))
        entries = np.zeros(int(lengths.sum()), ENTRY)
        _gather(start, self.firsts, self.lengths, self.entries, lengths, entries)
        return {"cards": self.cards[start:stop].copy(), "lengths": lengths, "entries": entries}

    def load_kernels(self) -> None:
        """Load, or compile, what is first needed when the pool is large: it would delay a batch then."""
        self._clean_segments(0, np.zeros(0, np.bool_))

    def _clean_segments(self, count: int, victims: npt.NDArray[np.bool_]) -> None:
        clean_segments(
            count, victims, self.firsts, self.lengths, self.size_classes, self.entries, self.heads, self.live, self.free
        )

    def _measure_up_to(self, transactions: int) -> None:
        self.scratch = np.zeros((SCRATCH_LINES, transactions), np.int64)
        self.seen = np.zeros(FIRST_TERMINAL + (1 << (2 * transactions - 1).bit_length()), np.int64)

    def _make_room_for(self, count: int, size: int) -> None:
        while self.heads[FREE] < self.heads[RESERVE] and self._clean(count):
            pass
        if self.heads[FREE] < self.heads[RESERVE]:
            self._grow(max(self.heads[RESERVE], len(self.live) // _GROWTH))
        if size > SEGMENT and size > self.heads[RUN_SIZE]:
            self._set_apart(-(-size // SEGMENT))

    def _clean(self, count: int) -> bool:
        """Free the segments that hold the least, unless too little is left behind in all; return whether it did."""
        candidates = self.live < SEGMENT
        candidates[self.free[: self.heads[FREE]]] = False
        candidates[(self.heads[END] - 1) >> SEGMENT_BITS] = False
        run = self.heads[RUN] >> SEGMENT_BITS
        candidates[run : run + (self.heads[RUN_SIZE] >> SEGMENT_BITS)] = False
        rows = np.flatnonzero(candidates)
        if (SEGMENT - self.live[rows]).sum() < _LEFT_BEHIND * len(self.entries):
            return False
        emptiest = rows[np.argsort(self.live[rows], kind="stable")]
        # What lives in the chosen has to fit into the free ones, and two of those hold more than one segment at least.
        room = max(0, int(self.heads[FREE]) - 1) * SEGMENT // 2
        chosen = emptiest[np.cumsum(self.live[emptiest]) <= room]
        if not len(chosen):
            return False
        victims = np.zeros(len(self.live), np.bool_)
        victims[chosen] = True
        self._clean_segments(count, victims)
        return True

    def _grow(self, segments: int) -> None:
        """Add free segments; memory is taken from the system without copying what is there, where it can."""
        held = len(self.live)
        reserve = min(_MOST_RESERVE, _LEAST_RESERVE + held // 64)
        added = max(int(segments), reserve + 1)
        self.entries.resize((held + added) * SEGMENT, refcheck=False)
        self.live = _grown(self.live, held + added, 0)
        self.free = _grown(self.free, held + added, 0)
        for segment in range(held + added - 1, held - 1, -1):
            self.free[self.heads[FREE]] = segment
            self.heads[FREE] += 1
        self.heads[RESERVE] = reserve

    def _set_apart(self, segments: int) -> None:
        """Add a run of segments for a block that is larger than one; an unused, smaller run becomes free."""
        for segment in range(self.heads[RUN_SIZE] >> SEGMENT_BITS):
            self.free[self.heads[FREE]] = (self.heads[RUN] >> SEGMENT_BITS) + segment
            self.heads[FREE] += 1
        held = len(self.live)
        self.entries.resize((held + segments) * SEGMENT, refcheck=False)
        self.live = _grown(self.live, held + segments, 0)
        self.free = _grown(self.free, held + segments, 0)
        self.heads[RUN], self.heads[RUN_SIZE] = held * SEGMENT, segments * SEGMENT


def _size_for(entries: int) -> int:
    """Return the size of the block for so many, without compiling anything."""
    return int(BLOCK_SIZES[np.searchsorted(BLOCK_SIZES, entries)])


def _grown(array: Array, size: int, filler: int) -> Array:
    """Return a copy with room for `size`, new places filled."""
    grown: Array = np.full(size, filler, array.dtype)  # type: ignore[assignment]  # numpy cannot say "the same dtype"
    grown[: len(array)] = array
    return grown
