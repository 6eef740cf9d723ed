"""Row numbers of 64-bit keys: open addressing with linear probing, in batches."""

from typing import Final

import numba
import numpy as np

from models.features.kernel_types import Hashes, Int, Ints

_SMALLEST_CAPACITY: Final = 1024
_EMPTY: Final = -1


@numba.njit(cache=True)
def _look_up(keys: Hashes, rows: Ints, wanted: Hashes, found: Ints) -> None:
    mask = np.uint64(keys.size - 1)
    one = np.uint64(1)
    for i in range(wanted.size):
        place = wanted[i] & mask
        while rows[place] != _EMPTY and keys[place] != wanted[i]:
            place = (place + one) & mask
        found[i] = rows[place]


@numba.njit(cache=True)
def _add(keys: Hashes, rows: Ints, wanted: Hashes, found: Ints, count: Int) -> Int:
    mask = np.uint64(keys.size - 1)
    one = np.uint64(1)
    for i in range(wanted.size):
        place = wanted[i] & mask
        while rows[place] != _EMPTY and keys[place] != wanted[i]:
            place = (place + one) & mask
        if rows[place] == _EMPTY:
            keys[place] = wanted[i]
            rows[place] = count
            count += 1
        found[i] = rows[place]
    return count


class HashIndex:
    """Numbers distinct keys 0, 1, 2 … in the order in which they are first added.

    The keys are hashes already, so their low bits choose the place. At most half of the places are taken: 24 to 48
    bytes a key.

    Examples
    --------
    >>> index = HashIndex()
    >>> index.add(np.array([7, 9, 7], np.uint64)).tolist()
    [0, 1, 0]
    >>> index.look_up(np.array([9, 8], np.uint64)).tolist()
    [1, -1]
    """

    __slots__ = ("_keys", "_rows", "count")

    def __init__(self) -> None:
        self._keys = np.zeros(_SMALLEST_CAPACITY, np.uint64)
        self._rows = np.full(_SMALLEST_CAPACITY, _EMPTY, np.int32)
        self.count = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._keys.nbytes + self._rows.nbytes

    def look_up(self, keys: Hashes) -> Ints:
        """Return the row number of each key, -1 where it is unknown."""
        found = np.empty(len(keys), np.int32)
        _look_up(self._keys, self._rows, keys, found)
        return found

    def add(self, keys: Hashes) -> Ints:
        """Return the row number of each key; unknown keys get the next free numbers."""
        found = np.empty(len(keys), np.int32)
        start = 0
        while start < len(keys):
            stop = min(len(keys), start + max(_SMALLEST_CAPACITY, self.count) // 2)
            self._make_room(stop - start)
            self.count = _add(self._keys, self._rows, keys[start:stop], found[start:stop], self.count)
            start = stop
        return found

    def _make_room(self, extra: int) -> None:
        capacity = self._keys.size
        if 2 * (self.count + extra) <= capacity:
            return
        held = np.flatnonzero(self._rows != _EMPTY)
        in_order = np.empty(self.count, np.uint64)
        in_order[self._rows[held]] = self._keys[held]
        self._keys = np.zeros(2 * capacity, np.uint64)
        self._rows = np.full(2 * capacity, _EMPTY, np.int32)
        _add(self._keys, self._rows, in_order, np.empty(self.count, np.int32), 0)
