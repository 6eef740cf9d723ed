"""The 64-bit hashes that stand for card, terminal and transaction ids in arrays."""

from collections.abc import Iterable, Sized
from typing import Protocol

import numpy as np
import numpy.typing as npt
import xxhash


class _Texts(Iterable[str], Sized, Protocol):
    """Anything sized that yields strings."""


def hash64(text: str | bytes) -> int:
    """Return XXH3-64 of a text's UTF-8 bytes.

    Examples
    --------
    >>> hash64("c7") == hash64(b"c7")
    True
    """
    return xxhash.xxh3_64_intdigest(text.encode() if isinstance(text, str) else text)


def hash64_column(texts: _Texts) -> npt.NDArray[np.uint64]:
    """Return the hash of each text, in order."""
    return np.fromiter(map(xxhash.xxh3_64_intdigest, map(str.encode, texts)), np.uint64, count=len(texts))
