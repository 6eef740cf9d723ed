"""The partition that Kafka's Java client chooses for a key, to check that every producer chose the same.

References
----------
`org.apache.kafka.common.utils.Utils.murmur2` and `toPositive`.
"""

from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Return the 32-bit murmur2 of a key, unsigned.

    Examples
    --------
    >>> murmur2(b"21") == (-973932308) % 2**32
    True
    """
    value = (_SEED ^ len(key)) & _MASK
    whole = len(key) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ (word >> 24)) * _MULTIPLIER & _MASK
        value = (value * _MULTIPLIER & _MASK) ^ word
    if whole < len(key):
        value = (value ^ int.from_bytes(key[whole:], "little")) * _MULTIPLIER & _MASK
    value = (value ^ (value >> 13)) * _MULTIPLIER & _MASK
    return value ^ (value >> 15)


def murmur2_partition(key: bytes, partitions: int) -> int:
    """Return the partition of `partitions` that a key belongs to."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2_partitions(keys: Sequence[bytes], partitions: int) -> npt.NDArray[np.int32]:
    """Return the partition of each key."""
    return murmur2_column(keys) % np.int32(partitions)


def murmur2_column(keys: Sequence[bytes]) -> npt.NDArray[np.int32]:
    """Return of each key what the number of partitions divides: its murmur2 without the sign."""
    ends = np.cumsum(np.fromiter(map(len, keys), np.int64, count=len(keys)))
    return _column(np.frombuffer(b"".join(keys), np.uint8), ends)


@numba.njit(cache=True, nogil=True)
def _column(
    joined: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:  # pragma: no cover - compiled
    out = np.empty(len(ends), np.int32)
    multiplier = np.uint32(_MULTIPLIER)
    start = 0
    for row in range(len(ends)):
        end = ends[row]
        value = np.uint32(_SEED) ^ np.uint32(end - start)
        whole = start + ((end - start) & ~3)
        for at in range(start, whole, 4):
            word = (
                np.uint32(joined[at])
                | (np.uint32(joined[at + 1]) << np.uint32(8))
                | (np.uint32(joined[at + 2]) << np.uint32(16))
                | (np.uint32(joined[at + 3]) << np.uint32(24))
            )
            word = np.uint32(word * multiplier)
            word = np.uint32((word ^ (word >> np.uint32(24))) * multiplier)
            value = np.uint32(np.uint32(value * multiplier) ^ word)
        if whole < end:
            rest = np.uint32(0)
            for at in range(end - 1, whole - 1, -1):
                rest = np.uint32((rest << np.uint32(8)) | np.uint32(joined[at]))
            value = np.uint32(np.uint32(value ^ rest) * multiplier)
        value = np.uint32(np.uint32(value ^ (value >> np.uint32(13))) * multiplier)
        value = np.uint32(value ^ (value >> np.uint32(15)))
        out[row] = np.int32(value & np.uint32(0x7FFFFFFF))
        start = end
    return out
