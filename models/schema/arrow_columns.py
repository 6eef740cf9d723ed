"""The columns of a record batch as Arrow lays them out in memory, without an Arrow array for each of them.

References
----------
Apache Arrow, Columnar format: physical memory layout.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

ALL_VALID: Final = b""
"""In place of a validity bitmap where nothing is null."""
_SEPARATOR: Final = "\0"
"""In UTF-8 one byte that is part of no other character; hardly an id has it."""


class Column(NamedTuple):
    """One column.

    Attributes
    ----------
    nodes: length and number of nulls, of a nested column those of its children too, depth first.
    buffers: in the same order; objects of the buffer protocol whose items are bytes.
    """

    nodes: tuple[int, ...]
    buffers: tuple[Any, ...]


def fixed(values: Any, dtype: type[np.generic], valid: NDArray[np.bool_] | None = None) -> Column:
    """Numbers or flags, null where not `valid`."""
    whole = np.asarray(values, dtype)
    nulls, bitmap = _validity(valid)
    return Column((len(whole), nulls), (bitmap, _bits(whole) if dtype is np.bool_ else whole.tobytes()))


def per_row(value: Any, dtype: type[np.generic], rows: int) -> Column:
    """Numbers or flags: an array of one for each row, or one for all."""
    if isinstance(value, np.ndarray):
        return fixed(value, dtype)
    if dtype is np.bool_:
        return Column((rows, 0), (ALL_VALID, (b"\xff" if value else b"\x00") * -(-rows // 8)))
    return Column((rows, 0), (ALL_VALID, _item(value, dtype) * rows))  # type: ignore[arg-type]  # a class can be hashed


def texts(columns: Sequence[Sequence[str | None]], rows: int) -> list[Column]:
    r"""Columns of text: joined into one, whose bytes are read once, in place of asking each object for its own.

    Examples
    --------
    >>> texts([("c7", "c80"), ("5411", None)], 2)[1]
    Column(nodes=(2, 1), buffers=(b'\x01', b'\x00\x00\x00\x00\x04\x00\x00\x00\x04\x00\x00\x00', b'5411'))
    """
    joined, validity = zip(*map(_joined, columns), strict=True)
    if not rows:  # asked at import too, where no kernel is to be loaded
        return list(map(_one_by_one, columns, validity))
    read = np.frombuffer(_SEPARATOR.join(joined).encode(), np.uint8)
    offsets, data = np.empty((len(columns), rows + 1), np.int32), np.empty(len(read), np.uint8)
    if _split(read, offsets, data) != len(read) + 1:
        return list(map(_one_by_one, columns, validity))  # a text has the separator
    found, start = [], 0
    for ends, valid in zip(offsets, validity, strict=True):
        stop = start + int(ends[-1])
        found.append(_text(ends, data[start:stop].tobytes(), valid))
        start = stop
    return found


@lru_cache(maxsize=64)
def _item(value: Any, dtype: type[np.generic]) -> bytes:
    return np.array(value, dtype).tobytes()


def _joined(column: Sequence[str | None]) -> tuple[str, NDArray[np.bool_] | None]:
    """The texts of a column, None as an empty one; and which are there, None where all are."""
    try:
        return _SEPARATOR.join(column), None  # type: ignore[arg-type]  # it says so itself
    except TypeError:
        valid = np.array([text is not None for text in column], np.bool_)
        return _SEPARATOR.join([text or "" for text in column]), valid


@numba.njit(cache=True, nogil=True)
def _split(
    joined: NDArray[np.uint8], offsets: NDArray[np.int32], data: NDArray[np.uint8]
) -> np.uintp:  # pragma: no cover - compiled
    """Fill each column's offsets [columns, rows + 1] and the data without separators; return how far it read."""
    # Unsigned: with a sign each index is looked at for being negative, and the whole takes twice as long.
    at = written = np.uintp(0)
    one, end = np.uintp(1), np.uintp(len(joined))
    for column in range(offsets.shape[0]):
        start = written
        offsets[column, 0] = 0
        for row in range(1, offsets.shape[1]):
            while at < end and joined[at]:
                data[written] = joined[at]
                written += one
                at += one
            at += one
            offsets[column, row] = written - start
    return at


def _one_by_one(column: Sequence[str | None], valid: NDArray[np.bool_] | None) -> Column:
    encoded = [(text or "").encode() for text in column]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return _text(offsets, b"".join(encoded), valid)


def _text(offsets: NDArray[np.int32], data: bytes, valid: NDArray[np.bool_] | None) -> Column:
    nulls, bitmap = _validity(valid)
    return Column((len(offsets) - 1, nulls), (bitmap, offsets.tobytes(), data))


def _validity(valid: NDArray[np.bool_] | None) -> tuple[int, bytes]:
    """The number of nulls and the bitmap of what is none."""
    nulls = 0 if valid is None else len(valid) - int(np.count_nonzero(valid))
    return nulls, _bits(valid) if valid is not None and nulls else ALL_VALID


def _bits(values: NDArray[np.bool_]) -> bytes:
    return np.packbits(values, bitorder="little").tobytes()
