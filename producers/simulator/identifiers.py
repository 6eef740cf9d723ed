"""Ids drawn from numbers: opaque, unique, and never like a card number."""

import numpy as np

_ALPHABET = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)


def opaque_ids(numbers: np.ndarray, prefix: bytes, symbols: int) -> np.ndarray:
    """Return ids of a one-letter prefix and base-32 symbols of the highest bits, as a fixed-width bytes array.

    The first symbol is a letter: of 13 symbols, which hold all 64 bits, at most 12 are digits, too few for a card
    number.

    Examples
    --------
    >>> opaque_ids(np.array([0, 2**64 - 1], np.uint64), b"x", 13).tolist()
    [b'xaaaaaaaaaaaaa', b'xp777777777777']
    """
    text = np.empty((len(numbers), 1 + symbols), np.uint8)
    text[:, 0] = prefix[0]
    left = 64
    for place in range(symbols):
        bits = 4 if place == 0 else min(5, left)
        left -= bits
        code = (numbers >> np.uint64(left)) & np.uint64((1 << bits) - 1)
        text[:, 1 + place] = _ALPHABET[code.astype(np.int64)]
    ids: np.ndarray = text.view(f"S{1 + symbols}").ravel()
    return ids
