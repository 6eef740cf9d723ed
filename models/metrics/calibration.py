"""Whether a score of 0.3 means three frauds in ten, and the map that makes it so."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from models.errors import FraudstreamError

Floats = npt.NDArray[np.floating]

_BIN_EDGES: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6)
"""Fixed, so that weeks compare, and closer where scores lie: the first of ten equal bins would hold 99 % of rows."""
_MOST_POINTS: Final = 64


class CalibrationError(FraudstreamError):
    """Raised for rows that no calibration can be fitted on, or a map that is none."""


def calibration_error(score: Floats, is_fraud: npt.NDArray[np.bool_]) -> float:
    """Mean distance between score and share of frauds, over eight bins of the score weighted by their rows.

    Parameters
    ----------
    score: [n] 0 to 1, at least one.
    is_fraud: bool[n].

    Examples
    --------
    >>> round(calibration_error(np.array([0.5, 0.5, 0.5, 0.5]), np.array([True, False, False, False])), 3)
    0.25
    """
    place = np.searchsorted(_BIN_EDGES, score, side="right")
    distance = np.bincount(place, np.asarray(score, np.float64)) - np.bincount(place, is_fraud)
    return float(np.abs(distance).sum() / len(score))


class CalibrationMap(msgspec.Struct, frozen=True):
    """Chance of fraud by score: straight lines between points, level outside them.

    Attributes
    ----------
    scores: growing.
    chances: as many, never falling.

    Raises
    ------
    CalibrationError: when the lists do not make such a map.

    Examples
    --------
    >>> CalibrationMap([0.0, 1.0], [0.0, 0.5]).chance(np.array([0.5])).tolist()
    [0.25]
    """

    scores: list[float]
    chances: list[float]

    def __post_init__(self) -> None:
        """Refuse what is no map."""
        if not self.scores or len(self.scores) != len(self.chances):
            raise CalibrationError(
                f"a calibration map of {len(self.scores)} scores and {len(self.chances)} chances: give as many of each"
            )
        if np.any(np.diff(self.scores) <= 0) or np.any(np.diff(self.chances) < 0):
            raise CalibrationError(
                "a calibration map's scores must grow and its chances must not fall: sort the points"
            )

    def chance(self, score: Floats) -> npt.NDArray[np.float64]:
        """Return the chance of fraud for each score."""
        return np.interp(np.asarray(score, np.float64), self.scores, self.chances)

    @classmethod
    def fit(cls, score: Floats, is_fraud: npt.NDArray[np.bool_]) -> "CalibrationMap":
        """Fit by isotonic regression on rows that the model was not fitted on.

        Of more than 64 points those that lie evenly along the curve are kept.

        Raises
        ------
        CalibrationError: without a fraud there is nothing to fit.
        """
        if not np.any(is_fraud):
            raise CalibrationError("a calibration needs at least 1 fraud, got 0: take rows of more days")
        fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit(np.asarray(score, np.float64), is_fraud)
        scores, chances = np.unique(fitted.X_thresholds_), fitted.y_thresholds_
        if len(scores) > _MOST_POINTS:
            kept = np.unique(np.round(_evenly(scores, chances)).astype(np.int64))
            scores, chances = scores[kept], chances[kept]
        return cls(scores.tolist(), chances.tolist())


def _evenly(scores: npt.NDArray[np.float64], chances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Places along the curve at even distances, counting steps in score, in chance and in points alike."""
    run = np.linspace(0, 1, len(scores)) + scores / scores[-1] + chances / chances[-1]
    return np.interp(np.linspace(run[0], run[-1], _MOST_POINTS), run, np.arange(len(scores)))
