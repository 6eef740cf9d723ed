"""The numba kernels of the pool that cards' blocks lie in: segments that are filled one after the other and cleaned.

A block that a card has outgrown is left behind where it lies. When little is free, the segments that hold the least are
cleaned: their blocks move to where the next new block would come, and the whole segments are free again. So no block is
ever sought, all sizes share all space, what is left behind is a tenth at most, and no single step takes long however
many cards there are.

References
----------
Rosenblum, Ousterhout: The Design and Implementation of a Log-Structured File System, 1992 (segments, their cleaning).
"""

from typing import Final

import numba
import numpy as np

from models.features.card_entry import STAMP_BITS, STORED_MS
from models.features.kernel_sources import SOURCES
from models.features.kernel_types import Flags, Int, Ints, Longs, Octets, Records

BLOCK_SIZES: Final = np.array(
    [2, *range(4, 33, 4)] + [size << octave for octave in range(24) for size in range(36, 65, 4)], np.int64
)
"""Entries that a card's block may hold: 2, 4, 8, 12 up to 32, 36 up to 64, 72 up to 128 …"""
NO_BLOCK: Final = 255
"""Size class of a card without a block."""
_EVENLY_SPACED: Final = 8
"""Up to this class the sizes are four apart."""

SEGMENT_BITS: Final = 14
SEGMENT: Final = 1 << SEGMENT_BITS
"""Entries of a segment: 393 kB, over three times the block of a card with 5,000."""

NEXT, END, FREE, RESERVE, RUN, RUN_SIZE = range(6)
"""What `heads` holds: the next free entry and the end of the open segment; how many segments are free, and below how
many the caller has to see to it; the first entry and the size of a run of segments set apart for a larger block."""
HEADS: Final = 6


@numba.njit(cache=False)
def size_class_for(entries: Int) -> Int:
    """Return the smallest class whose blocks hold so many."""
    if entries <= BLOCK_SIZES[_EVENLY_SPACED]:
        return np.int64((entries > BLOCK_SIZES[0]) + max(entries - 1, 0) // 4)
    size_class = _EVENLY_SPACED
    while BLOCK_SIZES[size_class] < entries:
        size_class += 1
    return np.int64(size_class)


@numba.njit(cache=False)
def has_room(size: Int, heads: Longs) -> bool:
    """Tell whether `take_block` will find a place for a block of this size."""
    return bool(heads[FREE] >= heads[RESERVE] and (size <= SEGMENT or heads[RUN_SIZE] >= size))


@numba.njit(cache=False)
def take_block(size: Int, heads: Longs, live: Ints, free: Ints) -> Int:
    """Return the first entry of a fresh block; the caller has made sure that there is one."""
    if size > SEGMENT:
        first, behind = heads[RUN], (heads[RUN] + size - 1 >> SEGMENT_BITS) + 1
        live[first >> SEGMENT_BITS : behind] = SEGMENT
        for segment in range(behind, first + heads[RUN_SIZE] >> SEGMENT_BITS):
            free[heads[FREE]] = segment
            heads[FREE] += 1
        heads[RUN_SIZE] = 0
        return first
    if heads[NEXT] + size > heads[END]:
        heads[FREE] -= 1
        heads[NEXT] = np.int64(free[heads[FREE]]) << SEGMENT_BITS
        heads[END] = heads[NEXT] + SEGMENT
    first = heads[NEXT]
    heads[NEXT] += size
    live[first >> SEGMENT_BITS] += size
    return first


@numba.njit(cache=False)
def leave_block(first: Int, size: Int, heads: Longs, live: Ints, free: Ints) -> None:
    """Leave a block behind; segments in which nothing lives any more are free."""
    start, stop = first >> SEGMENT_BITS, (first + size - 1 >> SEGMENT_BITS) + 1
    for segment in range(start, stop):
        live[segment] = live[segment] - size if size <= SEGMENT else 0
        if live[segment] == 0 and segment != heads[END] - 1 >> SEGMENT_BITS:
            free[heads[FREE]] = segment
            heads[FREE] += 1


@numba.njit(cache=False)
def outdated(first: Int, length: Int, horizon: Int, entries: Records) -> Int:
    """Return how many of a card's transactions are at or before the horizon."""
    gone = 0
    while gone < length and entries[first + gone].stamp >> STAMP_BITS <= horizon:
        gone += 1
    return gone


@numba.njit(cache=False)
def horizon_of(first: Int, length: Int, entries: Records) -> Int:
    """Return the event time at and before which a card's transactions are gone."""
    return (entries[first + length - 1].stamp >> STAMP_BITS) - STORED_MS


@numba.njit(cache=True, nogil=True)
def clean_segments(
    cards: Int,
    victims: Flags,
    firsts: Longs,
    lengths: Ints,
    size_classes: Octets,
    entries: Records,
    heads: Longs,
    live: Ints,
    free: Ints,
    sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> None:
    """Move the blocks in some segments, cut to what they hold; these are free afterwards.

    Parameters
    ----------
    victims: bool[segments]; not the open one, and none of a block larger than a segment. What lives in them fits into
        the free ones.
    """
    for row in range(cards):
        if size_classes[row] == NO_BLOCK or not victims[firsts[row] >> SEGMENT_BITS]:
            continue
        first, length = firsts[row], np.int64(lengths[row])
        gone = outdated(first, length, horizon_of(first, length, entries), entries) if length else 0
        size_class = size_class_for(length - gone)
        target = take_block(BLOCK_SIZES[size_class], heads, live, free)
        for i in range(length - gone):
            entries[target + i] = entries[first + gone + i]
        firsts[row], lengths[row], size_classes[row] = target, length - gone, size_class
    for segment in range(victims.size):
        if victims[segment]:
            live[segment] = 0
            free[heads[FREE]] = segment
            heads[FREE] += 1
