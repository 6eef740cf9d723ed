"""The reader's rule over scores, one batch at a time; its state is one integer per partition."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]

_OFFSET_BITS: Final = 46
LARGEST_OFFSET: Final = (1 << _OFFSET_BITS) - 1
LARGEST_EPOCH: Final = (1 << 17) - 1


def source_keys(epochs: Keys, source_offsets: Keys) -> Keys:
    """Return (epoch, source_offset) of each row as one int64 that sorts like the pair.

    7e13 records and 131,072 epochs a partition; so the pair can be kept as the version of an application transaction.
    """
    return (epochs << _OFFSET_BITS) + source_offsets


def source_key(epoch: int, source_offset: int) -> int:
    """Return the key of one pair."""
    return (epoch << _OFFSET_BITS) + source_offset


def source_of(key: int) -> tuple[int, int]:
    """Return epoch and source_offset of a key.

    Examples
    --------
    >>> source_of(source_key(3, 17))
    (3, 17)
    """
    return key >> _OFFSET_BITS, key & LARGEST_OFFSET


class ReaderRule:
    """Says which scores count: per partition those above the last one seen.

    Parameters
    ----------
    last: by partition the key of the last score that counted; none at first.

    Examples
    --------
    >>> rule = ReaderRule({})
    >>> rule.kept(0, np.array([4, 5, 4, 5, 6])).tolist(), rule.kept(0, np.array([6, 7])).tolist()
    ([True, True, False, False, True], [False, True])
    """

    def __init__(self, last: Mapping[int, int]) -> None:
        self.last = dict(last)

    def kept(self, partition: int, keys: Keys) -> npt.NDArray[np.bool_]:
        """Whether each row of a batch counts; takes note of them."""
        if not len(keys):
            return np.zeros(0, np.bool_)
        highest = np.maximum.accumulate(np.concatenate(([self.last.get(partition, -1)], keys)))
        self.last[partition] = int(highest[-1])
        return np.asarray(keys > highest[:-1])
