"""Named random generators: one per purpose, so that a new purpose changes none of the others."""

import hashlib

import numpy as np


def substream(seed: int, *path: str | int) -> np.random.Generator:
    """Return the generator of one purpose, such as `substream(7, "traffic", 12)` for the traffic of day 12.

    Whoever draws more or fewer numbers for one purpose leaves every other purpose as it was: that is what keeps the
    ordinary traffic the same when a fraud tactic is added, and a day the same whichever days were made before it.

    Examples
    --------
    >>> bool(substream(7, "a", 1).random() == substream(7, "a", 1).random())
    True
    >>> bool(substream(7, "a", 1).random() == substream(7, "a", 2).random())
    False
    """
    return np.random.Generator(np.random.PCG64(_digest(seed, *path)))


def stream_key(seed: int, *path: str | int) -> np.uint64:
    """Return 64 fixed bits for one purpose, for use with `mix64`."""
    return np.uint64(_digest(seed, *path) & 0xFFFF_FFFF_FFFF_FFFF)


def mix64(values: np.ndarray, key: np.uint64) -> np.ndarray:
    """Scramble 64-bit integers by a keyed bijection: different inputs always give different outputs.

    References
    ----------
    The finaliser of SplitMix64: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014.
    """
    mixed: np.ndarray = values.astype(np.uint64) ^ key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def unit_interval(bits: np.ndarray) -> np.ndarray:
    """Turn scrambled 64-bit integers into float64 in [0, 1)."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _digest(seed: int, *path: str | int) -> int:
    text = "/".join(str(part) for part in (seed, *path))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")
