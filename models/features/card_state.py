"""The exact 30-day windows of one partition's cards, in arrays that grow."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.features.card_entry import ENTRY, STAMP_BITS, STORED_MS
from models.features.card_measures import COLUMNS, SCRATCH_LINES, WINDOW_MS_OF
from models.features.card_windows import BLOCK_SIZES, NO_BLOCK, advance_cards
from models.features.feature_set import FeatureSet
from models.features.hash_index import HashIndex
from models.features.kernel_sources import SOURCES
from models.features.kernel_types import Bytes, Int, Ints, Longs, Records
from models.schema.columns import TransactionColumns

CardArrays = dict[str, npt.NDArray[np.generic]]
"""Complete state of some cards: `cards` uint64[k], `lengths` int32[k], `entries` ENTRY[sum of them], card by card."""

Array = TypeVar("Array", bound=npt.NDArray[Any])


class CardArraysError(FraudstreamError):
    """Raised when stored card arrays do not fit together."""


@numba.njit(cache=True)
def _gather(
    rows: Longs,
    firsts: Longs,
    lengths: Ints,
    entries: Records,
    counts: Ints,
    gathered: Records,
    sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> None:
    """Copy the live transactions of `rows`; with an empty target only count them."""
    filled = 0
    for k in range(rows.size):
        first, length = firsts[rows[k]], lengths[rows[k]]
        horizon = (entries[first + length - 1].stamp >> STAMP_BITS) - STORED_MS if length else 0
        gone = 0
        while gone < length and entries[first + gone].stamp >> STAMP_BITS <= horizon:
            gone += 1
        counts[k] = length - gone
        if gathered.size:
            for i in range(first + gone, first + length):
                gathered[filled] = entries[i]
                filled += 1


@numba.njit(cache=True)
def _place(
    rows: Ints,
    counts: Ints,
    given: Records,
    firsts: Longs,
    lengths: Ints,
    size_classes: Bytes,
    entries: Records,
    used: Longs,
    sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> None:
    """Lay the given cards into fresh blocks at the end of the pool."""
    taken = 0
    for k in range(rows.size):
        size_class = 0
        while BLOCK_SIZES[size_class] < counts[k]:
            size_class += 1
        firsts[rows[k]] = used[0]
        lengths[rows[k]] = counts[k]
        size_classes[rows[k]] = size_class
        for i in range(counts[k]):
            entries[used[0] + i] = given[taken + i]
        taken += counts[k]
        used[0] += BLOCK_SIZES[size_class]


@numba.njit(cache=True)
def _relocate(
    cards: Int,
    firsts: Longs,
    lengths: Ints,
    size_classes: Bytes,
    entries: Records,
    target: Records,
    sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> Int:
    """Copy every card's block to the next place of the target; returns how much of it is used."""
    used = 0
    for row in range(cards):
        if size_classes[row] >= 0:
            for i in range(lengths[row]):
                target[used + i] = entries[firsts[row] + i]
            firsts[row] = used
            used += BLOCK_SIZES[size_classes[row]]
    return used


class CardState:
    """Keeps what each card did in the last 31 days and computes features from it.

    Why: a window held as its transactions is exact for any order of arrival, has no rounding to drift, and can be
    rebuilt by a replay.

    A stored transaction takes 32 bytes. Blocks grow by a fifth, the pool that holds them by a half, and it is laid out
    afresh each time, so the pool takes at most 1.5 * 1.25 times that; beside it a card takes 22 bytes, twice that right
    after these arrays grew, and 24 to 48 bytes of hash table. At 60 transactions in 30 days: 2.5 to 3.7 kB a card.

    Parameters
    ----------
    feature_set: the columns to fill.
    """

    def __init__(self, feature_set: FeatureSet) -> None:
        self.feature_set = feature_set
        self._clear()

    def _clear(self) -> None:
        self._index = HashIndex()
        self._cards = np.zeros(0, np.uint64)
        self._firsts = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.int32)
        self._size_classes = np.zeros(0, np.int8)
        self._changed = np.zeros(0, np.bool_)
        self._entries = np.zeros(1024, ENTRY)
        self._used = np.zeros(1, np.int64)
        self._free = np.full(len(BLOCK_SIZES), NO_BLOCK, np.int64)
        self._scratch = np.zeros((SCRATCH_LINES, 1024), np.int64)
        self._counts = np.zeros(len(WINDOW_MS_OF), np.int64)

    @property
    def cards(self) -> int:
        """Distinct cards held."""
        return self._index.count

    @property
    def transactions(self) -> int:
        """Transactions held, those just out of the window included."""
        return int(self._lengths[: self.cards].sum())

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, room to grow included."""
        arrays = (self._cards, self._firsts, self._lengths, self._size_classes, self._changed, self._entries)
        return sum(array.nbytes for array in (*arrays, self._scratch)) + self._index.nbytes

    def advance(
        self, columns: TransactionColumns, out: npt.NDArray[np.float32] | None, status: npt.NDArray[np.uint8]
    ) -> None:
        """Take transactions in order: compute the own and card columns of each from those before it, then store it.

        Parameters
        ----------
        columns: [n] transactions.
        out: [n, F] feature rows, of which own and card columns are filled; None keeps the state only.
        status: [n] gets the bits DUPLICATE (already in its card's window: not counted), TOO_LATE (over 24 hours older
            than the card's newest: not counted) and LATE (older than the card's newest: inserted in order).
        """
        rows = self._rows_of(columns.card)
        target = np.zeros((0, COLUMNS), np.float32) if out is None else out
        done = 0
        while True:
            done = advance_cards(
                done, columns.event_time, columns.amount, columns.transaction, columns.terminal, columns.country,
                columns.channel, columns.entry_mode, columns.mcc, rows,
                self._firsts, self._lengths, self._size_classes, self._changed, self._entries, self._free, self._used,
                self._scratch, self._counts, out is not None, target, status,
            )  # fmt: skip
            if done == len(rows):
                return
            self._grow_pool(int(self._lengths[rows[done]]))

    def _rows_of(self, cards: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        known = self.cards
        rows = self._index.add(cards)
        if self.cards > len(self._cards):
            grown = max(1024, 2 * len(self._cards), self.cards)
            self._cards = _grown(self._cards, grown, 0)
            self._firsts = _grown(self._firsts, grown, 0)
            self._lengths = _grown(self._lengths, grown, 0)
            self._size_classes = _grown(self._size_classes, grown, -1)
            self._changed = _grown(self._changed, grown, False)
        if self.cards > known:
            self._cards[rows] = cards
        return rows

    def _grow_pool(self, length: int) -> None:
        """Make room for one more transaction of a card that has `length`."""
        if length + 1 > self._scratch.shape[1]:
            self._scratch = np.zeros((SCRATCH_LINES, 2 * (length + 1)), np.int64)
        if self._used[0] + 2 * length + 2 > len(self._entries):
            self._move_pool(2 * length + 2)

    def _move_pool(self, extra: int) -> None:
        """Lay all blocks into a pool half as large again, without the gaps that blocks left behind as they grew."""
        classes = self._size_classes[: self.cards]
        taken = int(BLOCK_SIZES[classes[classes >= 0]].sum())
        pool = np.zeros(max(1024, taken + taken // 2 + extra), ENTRY)
        self._used[0] = _relocate(self.cards, self._firsts, self._lengths, self._size_classes, self._entries, pool)
        self._free[:] = NO_BLOCK
        self._entries = pool

    def take_changes(self) -> CardArrays:
        """Return the complete state of every card that stored something since the last call."""
        rows = np.flatnonzero(self._changed[: self.cards])
        self._changed[rows] = False
        return self._arrays_of(rows)

    def everything(self) -> CardArrays:
        """Return the complete state of all cards; what `take_changes` returns next stays as it is."""
        return self._arrays_of(np.arange(self.cards))

    def _arrays_of(self, rows: npt.NDArray[np.int64]) -> CardArrays:
        lengths = np.zeros(len(rows), np.int32)
        nothing = np.zeros(0, ENTRY)
        _gather(rows, self._firsts, self._lengths, self._entries, lengths, nothing)
        entries = np.zeros(int(lengths.sum()), ENTRY)
        _gather(rows, self._firsts, self._lengths, self._entries, lengths, entries)
        return {"cards": self._cards[rows], "lengths": lengths, "entries": entries}

    def restore(self, parts: Iterable[Mapping[str, npt.NDArray[np.generic]]]) -> None:
        """Replace the state by a base and its increments, in order; the last part that has a card wins.

        Raises
        ------
        CardArraysError: a part is not what `everything` and `take_changes` give.
        """
        self._clear()
        for part in parts:
            check_card_arrays(part)
            cards, lengths = (
                np.ascontiguousarray(part["cards"], np.uint64),
                np.ascontiguousarray(part["lengths"], np.int32),
            )
            self._put(cards, lengths, np.ascontiguousarray(part["entries"], ENTRY))

    def _put(
        self, cards: npt.NDArray[np.uint64], lengths: npt.NDArray[np.int32], entries: npt.NDArray[np.void]
    ) -> None:
        rows = self._rows_of(cards)
        self._size_classes[rows] = -1  # their blocks are gaps until the pool is moved
        need = int(BLOCK_SIZES[np.searchsorted(BLOCK_SIZES, lengths)].sum())
        if self._used[0] + need > len(self._entries):
            self._move_pool(need)
        _place(rows, lengths, entries, self._firsts, self._lengths, self._size_classes, self._entries, self._used)


def check_card_arrays(part: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Raise CardArraysError unless a part is one of card arrays that fit together."""
    for name, dtype in (("cards", np.uint64), ("lengths", np.int32), ("entries", ENTRY)):
        array = part.get(name)
        if array is None or array.ndim != 1 or array.dtype != dtype:
            found = "nothing" if array is None else f"{array.dtype} {array.shape}"
            raise CardArraysError(f"card arrays have {found} as {name}: restore from an older checkpoint")
    cards, lengths, entries = part["cards"], np.asarray(part["lengths"], np.int64), part["entries"]
    if len(cards) != len(lengths) or int(lengths.sum()) != len(entries) or int(lengths.min(initial=0)) < 0:
        raise CardArraysError(
            f"card arrays hold {len(entries)} transactions where their lengths say {int(lengths.sum())}: "
            "restore from an older checkpoint"
        )


def _grown(array: Array, size: int, filler: int) -> Array:
    """Return a copy with room for `size`, new places filled."""
    grown: Array = np.full(size, filler, array.dtype)  # type: ignore[assignment]  # numpy cannot say "the same dtype"
    grown[: len(array)] = array
    return grown
