"""Average precision over days that are long gone: scores as counts, which add up."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.metrics.calibration import CalibrationMap
from models.metrics.ranking import average_precision
from models.metrics.scored_rows import ScoredRows

_LEVELS: Final = 4096
_LARGEST_LOG_ODDS: Final = 12.0
_LEVEL_SCORES: Final = 1.0 / (1.0 + np.exp(np.linspace(_LARGEST_LOG_ODDS, -_LARGEST_LOG_ODDS, _LEVELS)))
"""The lowest score of each level."""


@dataclass(frozen=True, slots=True, eq=False)
class RankingCounts:
    """Frauds and all rows at each of 4,096 levels of the score, evenly spaced in log-odds."""

    frauds: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: ScoredRows) -> "RankingCounts":
        """Count rows whose label is known."""
        level = _levels(rows.score)
        frauds = np.bincount(level, rows.is_fraud, minlength=_LEVELS).astype(np.int64)
        return cls(frauds, np.bincount(level, minlength=_LEVELS))

    def __add__(self, other: "RankingCounts") -> "RankingCounts":
        """Return both together."""
        return RankingCounts(self.frauds + other.frauds, self.rows + other.rows)

    @property
    def average_precision(self) -> float | None:
        """The average precision when rows of a level are tied; None without a fraud."""
        if not self.frauds.sum():
            return None
        levels = np.arange(_LEVELS, dtype=np.float64)
        score = np.concatenate((np.repeat(levels, self.frauds), np.repeat(levels, self.rows - self.frauds)))
        is_fraud = np.zeros(len(score), np.bool_)
        is_fraud[: int(self.frauds.sum())] = True
        return average_precision(is_fraud, score)


def score_levels(score: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Count the rows at each level, int64[4096]."""
    return np.bincount(_levels(score), minlength=_LEVELS)


def expected_average_precision(levels: npt.NDArray[np.int64], calibration: CalibrationMap) -> float:
    """Return the average precision to be expected of rows, by the chance of fraud at their scores.

    As `models.metrics.estimated.expected_average_precision`, rows of a level tied.

    Parameters
    ----------
    levels: int64[4096] rows at each level, at least one.
    """
    rows, chance = levels[::-1].astype(np.float64), calibration.chance(_LEVEL_SCORES[::-1])
    frauds = rows * chance
    reached, above = np.maximum(np.cumsum(rows), 1.0), np.cumsum(frauds)
    return float(np.sum(frauds * (1.0 + above - chance) / reached) / max(float(above[-1]), 1e-12))


def _levels(score: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    chance = np.clip(score.astype(np.float64), 1e-9, 1.0 - 1e-9)
    odds = np.clip(np.log(chance / (1.0 - chance)), -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
    return np.asarray((odds + _LARGEST_LOG_ODDS) / (2 * _LARGEST_LOG_ODDS) * (_LEVELS - 1), np.int64)
