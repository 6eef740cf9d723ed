"""The numba kernels that keep each card's transactions sorted in blocks of one growing pool."""

from typing import Final

import numba
import numpy as np

from models.features.card_entry import LARGEST_AMOUNT, LATENESS_MS, LONGEST_GAP, STAMP_BITS, STORED_MS, WINDOW_MS
from models.features.card_measures import marks_of, measure
from models.features.kernel_sources import SOURCES
from models.features.kernel_types import Bytes, Flags, Floats, Hashes, Int, Ints, Longs, Octets, Records, Shorts

DUPLICATE, TOO_LATE, LATE = 1, 2, 4
"""Bits of a status: already in its card's window; over 24 hours late (neither counts); inserted in order."""

BLOCK_SIZES: Final = np.array(
    [2, 4, 6, 8] + [size << octave for octave in range(1, 28) for size in (5, 6, 7, 8)], np.int64
)
"""Entries that a card's block may hold: 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40 …"""
NO_BLOCK: Final = -1


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
def _gaps(entries: Records, first: Int, stop: Int, now: Int, terminal: Int, country: Int) -> tuple[Int, Int]:
    """Return the ms since the card was last at this terminal and in this country, as stored."""
    terminal_gap = country_gap = np.int64(LONGEST_GAP)
    i = stop - 1
    while i >= first and max(terminal_gap, country_gap) == LONGEST_GAP:
        entry = entries[i]
        gap = now - (entry.stamp >> STAMP_BITS)
        if gap >= WINDOW_MS:
            break
        if terminal_gap == LONGEST_GAP and entry.terminal == terminal:
            terminal_gap = gap
        if country_gap == LONGEST_GAP and entry.stamp >> 6 & 0x3FF == country:
            country_gap = gap
        i -= 1
    return terminal_gap, country_gap


@numba.njit(cache=False)
def _shorten_next_gaps(entries: Records, start: Int, stop: Int, now: Int, terminal: Int, country: Int) -> None:
    """After a late insertion: the next transactions at its terminal and in its country have a nearer predecessor."""
    terminal_open = country_open = True
    i = start
    while i < stop and (terminal_open or country_open):
        gap = np.uint32((entries[i].stamp >> STAMP_BITS) - now)
        if terminal_open and entries[i].terminal == terminal:
            entries[i].terminal_gap = min(entries[i].terminal_gap, gap)
            terminal_open = False
        if country_open and entries[i].stamp >> 6 & 0x3FF == country:
            entries[i].country_gap = min(entries[i].country_gap, gap)
            country_open = False
        i += 1


@numba.njit(cache=False)
def _take_block(size_class: Int, free: Longs, used: Longs, entries: Records) -> Int:
    """Return the first entry of a free block, whose first entry's `stamp` held the next free one."""
    block = free[size_class]
    if block != NO_BLOCK:
        free[size_class] = entries[block].stamp
        return block
    block = used[0]
    used[0] += BLOCK_SIZES[size_class]
    return block


@numba.njit(cache=False)
def _make_room(
    row: Int,
    horizon: Int,
    firsts: Longs,
    lengths: Ints,
    size_classes: Bytes,
    entries: Records,
    free: Longs,
    used: Longs,
) -> None:
    """Make the card's block hold one more: drop what is out of the window, else move to a larger block."""
    first, length, size_class = firsts[row], lengths[row], np.int64(size_classes[row])
    gone = 0
    while gone < length and entries[first + gone].stamp >> STAMP_BITS <= horizon:
        gone += 1
    kept = length - gone
    target = first
    if size_class < 0 or 8 * kept > 7 * BLOCK_SIZES[size_class]:
        target = _take_block(size_class + 1, free, used, entries)
        size_classes[row] = size_class + 1
    for i in range(kept):
        entries[target + i] = entries[first + gone + i]
    if target != first and size_class >= 0:
        entries[first].stamp = free[size_class]
        free[size_class] = first
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
    now = stamp >> STAMP_BITS
    country = stamp >> 6 & 0x3FF
    terminal_gap, country_gap = _gaps(entries, first, position, now, terminal, country)
    for i in range(first + length, position, -1):
        entries[i] = entries[i - 1]
    entry = entries[position]
    entry.stamp = stamp
    entry.transaction = transaction
    entry.amount = amount
    entry.terminal = terminal
    entry.terminal_gap = terminal_gap
    entry.country_gap = country_gap
    _shorten_next_gaps(entries, position + 1, first + length + 1, now, terminal, country)


@numba.njit(cache=True)
def advance_cards(
    start: Int, event_times: Longs, amounts: Longs, transactions: Hashes, terminals: Hashes, countries: Shorts,
    channels: Octets, entry_modes: Octets, mccs: Shorts, rows: Ints,
    firsts: Longs, lengths: Ints, size_classes: Bytes, changed: Flags, entries: Records, free: Longs, used: Longs,
    scratch: Longs, counts: Longs, wanted: Int, out: Floats, status: Octets, sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> Int:  # fmt: skip
    """Measure and store rows from `start` on; returns the first that there is no room for, or how many there are."""
    for i in range(start, rows.size):
        row = rows[i]
        length = np.int64(lengths[row])
        if length + 1 > scratch.shape[1] or used[0] + 2 * length + 2 > entries.size:
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
                    scratch, counts, out[i])  # fmt: skip
        status[i] = DUPLICATE * (twin >= 0) | TOO_LATE * (now < newest - LATENESS_MS) | LATE * (now < newest)
        if status[i] & (DUPLICATE | TOO_LATE):
            status[i] &= DUPLICATE | TOO_LATE
            continue
        if size_classes[row] < 0 or length == BLOCK_SIZES[size_classes[row]]:
            offset = first + length - position
            _make_room(row, max(horizon, now - STORED_MS), firsts, lengths, size_classes, entries, free, used)
            first, length = firsts[row], np.int64(lengths[row])
            position = first + length - offset
        _store(first, position, length, entries, now << STAMP_BITS | marks, transactions[i], amount, terminal)
        lengths[row] = length + 1
        changed[row] = True
    return rows.size
