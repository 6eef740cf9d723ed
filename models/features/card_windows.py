"""The numba kernels that keep each card's transactions sorted in blocks of one growing pool."""

import numba
import numpy as np

from models.features.card_entry import LARGEST_AMOUNT, LATENESS_MS, STAMP_BITS, STORED_MS
from models.features.card_measures import marks_of, measure
from models.features.card_pool import (
    BLOCK_SIZES,
    NO_BLOCK,
    has_room,
    leave_block,
    outdated,
    size_class_for,
    take_block,
)
from models.features.kernel_sources import SOURCES
from models.features.kernel_types import Floats, Hashes, Int, Ints, Longs, Octets, Records, Shorts

DUPLICATE, TOO_LATE, LATE = 1, 2, 4
"""Bits of a status: already in its card's window; over 24 hours late (neither counts); inserted in order."""


@numba.njit(cache=False)
def _time(entries: Records, i: Int) -> Int:
    return entries[i].stamp >> STAMP_BITS


@numba.njit(cache=False)
def _find(entries: Records, first: Int, stop: Int, horizon: Int, transaction: Int) -> Int:
    i = stop - 1
    while i >= first and entries[i].stamp >> STAMP_BITS > horizon:
        if entries[i].transaction == transaction:
            return i
        i -= 1
    return -1


@numba.njit(cache=False)
def spare(kept: Int) -> Int:
    """Return how many entries a block of so many should hold: room for one more, or for a sixteenth."""
    return kept + 1 + kept // 16


@numba.njit(cache=False)
def _make_room(
    row: Int,
    horizon: Int,
    firsts: Longs,
    lengths: Ints,
    size_classes: Octets,
    entries: Records,
    heads: Longs,
    live: Ints,
    free: Ints,
) -> None:
    """Make the card's block hold one more: drop what is out of the window, and move unless the block fits what stays.

    A block that is two sizes too large or more is given back too, so that a busy month is not paid for ever after.
    """
    first, length, size_class = firsts[row], np.int64(lengths[row]), np.int64(size_classes[row])
    gone = outdated(first, length, horizon, entries)
    kept = length - gone
    fitting = size_class_for(spare(kept))
    target = first
    if size_class == NO_BLOCK or not size_class - 1 <= fitting <= size_class:
        target = take_block(BLOCK_SIZES[fitting], heads, live, free)
        size_classes[row] = fitting
    for i in range(kept):
        entries[target + i] = entries[first + gone + i]
    if target != first and size_class != NO_BLOCK:
        leave_block(first, BLOCK_SIZES[size_class], heads, live, free)
    firsts[row] = target
    lengths[row] = kept


@numba.njit(cache=False)
def _store(
    first: Int,
    position: Int,
    length: Int,
    entries: Records,
    stamp: Int,
    transaction: Int,
    amount: Int,
    terminal: Int,
) -> None:
    for i in range(first + length, position, -1):
        entries[i] = entries[i - 1]
    entry = entries[position]
    entry.stamp = stamp
    entry.transaction = transaction
    entry.amount = amount
    entry.terminal = terminal


@numba.njit(cache=True, nogil=True)
def advance_cards(
    start: Int, event_times: Longs, amounts: Longs, transactions: Hashes, terminals: Hashes, countries: Shorts,
    channels: Octets, entry_modes: Octets, mccs: Shorts, rows: Ints,
    firsts: Longs, lengths: Ints, size_classes: Octets, entries: Records, heads: Longs, live: Ints, free: Ints,
    scratch: Longs, seen: Longs, counts: Longs, wanted: Int, out: Floats, status: Octets, sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> Int:  # fmt: skip
    """Measure and store rows from `start` on; returns the first that there is no room for, or how many there are."""
    for i in range(start, rows.size):
        row = rows[i]
        length = np.int64(lengths[row])
        full = size_classes[row] == NO_BLOCK or length == BLOCK_SIZES[size_classes[row]]
        if length + 1 > scratch.shape[1]:
            return i
        if full and not has_room(BLOCK_SIZES[size_class_for(spare(length))], heads):
            return i
        first = firsts[row]
        now = event_times[i]
        amount = min(amounts[i], LARGEST_AMOUNT)
        terminal = np.uint32(terminals[i] >> np.uint64(32))
        marks = marks_of(now, np.int64(countries[i]), np.int64(channels[i]), np.int64(entry_modes[i]))
        newest = _time(entries, first + length - 1) if length else now
        horizon = newest - STORED_MS
        position = first + length
        while position > first and _time(entries, position - 1) > now:
            position -= 1
        twin = _find(entries, first, first + length, horizon, transactions[i])
        until = twin if twin >= 0 and _time(entries, twin) == now else position
        if wanted:
            measure(entries, first, until, twin, horizon, now, amount, terminal, marks, np.int64(mccs[i]),
                    scratch, seen, counts, out[i])  # fmt: skip
        status[i] = DUPLICATE * (twin >= 0) | TOO_LATE * (now < newest - LATENESS_MS) | LATE * (now < newest)
        if status[i] & (DUPLICATE | TOO_LATE):
            status[i] &= DUPLICATE | TOO_LATE
            continue
        if full:
            offset = first + length - position
            _make_room(row, max(horizon, now - STORED_MS), firsts, lengths, size_classes, entries, heads, live, free)
            first, length = firsts[row], np.int64(lengths[row])
            position = first + length - offset
        _store(first, position, length, entries, now << STAMP_BITS | marks, transactions[i], amount, terminal)
        lengths[row] = length + 1
    return rows.size
