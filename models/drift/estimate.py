"""Before labels: what the model's own confidence over a week promises, against what it used to."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.drift.population import DEVIATIONS, WINDOW_DAYS
from models.drift.ranking_counts import expected_average_precision
from models.metrics.calibration import CalibrationMap

LEAST_FALL: Final = 0.05
"""Effect size, of average precision."""

Levels = npt.NDArray[np.int64]


class EstimateReference(msgspec.Struct, frozen=True):
    """The estimated average precision of the reference's weeks, and from which one on a week warns."""

    average_precision: float
    limit: float

    @classmethod
    def of(cls, days: Sequence[Levels], calibration: CalibrationMap) -> "EstimateReference":
        """Estimate every stretch of a week; the limit is five deviations of them, and LEAST_FALL, below their mean.

        Parameters
        ----------
        days: rows at each level of the score, of the reference's days, a week at least.
        """
        stretches = range(len(days) - WINDOW_DAYS + 1)
        weekly = [_of(days[start : start + WINDOW_DAYS], calibration) for start in stretches]
        mean = float(np.mean(weekly))
        return cls(mean, mean - max(LEAST_FALL, DEVIATIONS * float(np.std(weekly))))


class EstimateTest:
    """Follows the days that a model scores.

    Parameters
    ----------
    reference: what its scores used to promise.
    calibration: chance of fraud by score.

    References
    ----------
    Kivimäki, Białek, Kuberski, Nurminen (2025): Performance Estimation in Binary Classification Using Calibrated
    Confidence.
    """

    def __init__(self, reference: EstimateReference, calibration: CalibrationMap) -> None:
        self.reference = reference
        self._calibration = calibration
        self._days: deque[Levels] = deque(maxlen=WINDOW_DAYS)
        self.estimate: float | None = None
        """Over the last week; None until there is one."""

    def observe(self, levels: Levels) -> float | None:
        """Take an event day; return the estimate over the week when it is below the limit."""
        self._days.append(levels)
        if len(self._days) < WINDOW_DAYS:
            return None
        self.estimate = _of(list(self._days), self._calibration)
        return self.estimate if self.estimate < self.reference.limit else None


def _of(days: Sequence[Levels], calibration: CalibrationMap) -> float:
    return expected_average_precision(np.asarray(np.sum(days, axis=0)), calibration)
