"""95 % intervals: cards resampled for what is summed over rows, days for what is a mean over days."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from models.schema.performance import Figure

Floats = npt.NDArray[np.float64]

RESAMPLES: Final = 200
"""The limits then vary by about 5 % of the interval's width from seed to seed; 1,000 take five times as long."""
_TAIL: Final = 0.025
_Z: Final = 1.959964
_FEWEST_DEFINED: Final = 0.95
_STUDENT: Final = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469)
"""Student's 97.5 % quantile for 1 to 6 degrees of freedom: two to seven days."""


def undefined() -> Figure:
    """Return the figure that the rows do not define."""
    return Figure(None)


def resampled(value: float, resamples: Floats) -> Figure:
    """Put the middle 95 % of the resamples around a value.

    Parameters
    ----------
    value: NaN where it is not defined.
    resamples: the same figure of each resample; without one, or with more than 5 % not defined, there are no limits.

    Examples
    --------
    >>> resampled(0.5, np.linspace(0.4, 0.6, 201))
    Figure(value=0.5, low=0.405, high=0.595)
    """
    if not math.isfinite(value):
        return undefined()
    finite = resamples[np.isfinite(resamples)]
    if not len(finite) or len(finite) < _FEWEST_DEFINED * len(resamples):
        return Figure(value)
    low, high = np.quantile(finite, (_TAIL, 1 - _TAIL))
    return Figure(value, round(float(low), 12), round(float(high), 12))


def share(value: float, resamples: Floats, clusters: Floats) -> Figure:
    """Like `resampled`, for a share of rows; where it is 0 or 1 all resamples agree, so Wilson's limits replace them.

    Parameters
    ----------
    clusters: rows of each card; the more they are bunched, the fewer they count for.

    Examples
    --------
    >>> figure = share(1.0, np.ones(200), np.ones(10))
    >>> round(figure.low, 3), figure.high
    (0.722, 1.0)
    """
    if value not in {0.0, 1.0} or not len(resamples):
        return resampled(value, resamples)
    rows = float(clusters.sum() ** 2 / (clusters**2).sum())
    reach = _Z**2 / (rows + _Z**2)
    return Figure(value, 1 - reach if value else 0.0, 1.0 if value else reach)


def mean_of_days(daily: Floats) -> Figure:
    """Mean over days with Student's interval: seven days are too few for their resamples to reach far enough.

    Examples
    --------
    >>> figure = mean_of_days(np.array([0.2, 0.3, 0.4]))
    >>> round(figure.value, 2), round(figure.low, 2), round(figure.high, 2)
    (0.3, 0.05, 0.55)
    """
    if not len(daily):
        return undefined()
    value = float(np.mean(daily))
    if len(daily) == 1:
        return Figure(value)
    reach = _student(len(daily) - 1) * float(np.std(daily, ddof=1)) / math.sqrt(len(daily))
    return Figure(value, max(value - reach, 0.0), min(value + reach, 1.0))


def _student(freedom: int) -> float:
    if freedom <= len(_STUDENT):
        return _STUDENT[freedom - 1]
    # The first term of its expansion around the normal quantile is good to 1 % from here on.
    return _Z + (_Z**3 + _Z) / (4 * freedom)
