"""How far chance alone moves a figure of a few thousand rows, where a card's rows hang together."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Z: Final = 3.0
"""Deviations beyond a limit that break it. A stage is looked at about a hundred times as it fills, and the figures of
an honest model are far from every limit, so this is enough (docs/release.md)."""
_HALF: Final = 0.5
_SPEARMAN: Final = 1.03
"""The error of Spearman's coefficient over that of Pearson's (Fieller, Hartley and Pearson, Biometrika 1957)."""


def share_bounds(hits: float, rows: int) -> tuple[float, float]:
    """Return Wilson's bounds of a share, Z deviations to each side.

    Examples
    --------
    >>> [round(bound, 3) for bound in share_bounds(5, 100)]
    [0.014, 0.16]
    """
    share, square = hits / rows, Z * Z
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    reach = Z * math.sqrt(share * (1 - share) / rows + square / (4 * rows * rows)) / (1 + square / rows)
    return middle - reach, middle + reach


def correlation_above(correlation: float, rows: int) -> float:
    """Return the upper bound of a rank correlation, Z deviations away, by Fisher's transformation.

    Examples
    --------
    >>> round(correlation_above(0.0, 403), 2), round(correlation_above(-1.0, 100), 2)
    (0.15, -1.0)
    """
    closest = 1 - 1e-9
    middle = math.atanh(min(max(correlation, -closest), closest))
    return math.tanh(middle + Z * _SPEARMAN / math.sqrt(max(1, rows - 3)))


def share_below(
    part: npt.NDArray[np.floating], whole: npt.NDArray[np.floating], card: npt.NDArray[np.intp]
) -> tuple[float, float]:
    """Return a ratio of two sums and its lower bound, cards being drawn as a whole.

    Parameters
    ----------
    part, whole: float[n] what each row adds to either sum.
    card: intp[n] place of its card.

    Examples
    --------
    >>> alone, cards = np.array([1.0, 0.0] * 50), np.arange(100)
    >>> [round(figure, 2) for figure in share_below(alone, np.ones(100), cards)]
    [0.5, 0.35]
    >>> [round(figure, 2) for figure in share_below(alone, np.ones(100), np.repeat(cards[:25], 4))]
    [0.5, 0.5]
    """
    total = float(whole.sum())
    if not total:
        return 0.0, 0.0
    ratio = float(part.sum()) / total
    spread = np.bincount(card, part - ratio * whole)
    return ratio, ratio - Z * math.sqrt(float(np.sum(spread**2))) / total


def log_ratio(
    first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_], card: npt.NDArray[np.intp]
) -> tuple[float, float]:
    """Return the logarithm of one count over another on the same rows, and its standard error by cards.

    Half a row is added to each, so that none is zero.

    Examples
    --------
    >>> many, few = np.arange(1000) < 75, np.arange(1000) < 25
    >>> [round(figure, 2) for figure in log_ratio(many, few, np.arange(1000))]
    [1.09, 0.16]
    """
    ones, twos = float(first.sum()) + _HALF, float(second.sum()) + _HALF
    rows = np.flatnonzero(first | second)
    _, places = np.unique(card[rows], return_inverse=True)
    spread = np.bincount(places, first[rows] / ones - second[rows] / twos)
    # Where both counts are the same rows the rows show no error; a half in each keeps it above zero.
    error = math.sqrt(float(np.sum(spread**2)) + _HALF / ones**2 + _HALF / twos**2)
    return math.log(ones / twos), error
