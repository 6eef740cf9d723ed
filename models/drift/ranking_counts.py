"""Average precision over days that are long gone: scores as counts, which add up."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.metrics.ranking import average_precision
from models.metrics.scored_rows import ScoredRows

_LEVELS: Final = 4096
_LARGEST_LOG_ODDS: Final = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class RankingCounts:
    """Frauds and all rows at each of 4,096 levels of the score, evenly spaced in log-odds."""

    frauds: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: ScoredRows) -> "RankingCounts":
        """Count rows whose label is known."""
        score = np.clip(rows.score.astype(np.float64), 1e-9, 1.0 - 1e-9)
        odds = np.clip(np.log(score / (1.0 - score)), -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
        level = ((odds + _LARGEST_LOG_ODDS) / (2 * _LARGEST_LOG_ODDS) * (_LEVELS - 1)).astype(np.int64)
        return cls(
            np.bincount(level, rows.is_fraud, minlength=_LEVELS).astype(np.int64),
            np.bincount(level, minlength=_LEVELS),
        )

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
