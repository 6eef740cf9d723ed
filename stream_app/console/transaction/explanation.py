"""What each feature added to a score: bars that add up, with the base, to the score's log-odds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.scorer import LoadedModel
from stream_app.console.records.reasons import feature_words, value_text
from stream_app.console.transaction.decision import FeatureRecord


@dataclass(frozen=True, slots=True)
class Bar:
    """One feature's part.

    Attributes
    ----------
    share: length of its bar, of the longest one's, 0 to 1.
    """

    feature: str
    words: str
    value: str
    contribution: float
    share: float

    @property
    def direction(self) -> str:
        """What it speaks for."""
        return "fraud" if self.contribution > 0 else "genuine"


_ROUNDING: Final = 1e-4
"""Of a chance; float32 near 1 is too coarse to compare log-odds there."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A score split into its parts, in log-odds.

    Attributes
    ----------
    base: before any feature is known.
    bars: the largest part first, features that added nothing left out.
    margin: base and parts together.
    score_margin: log-odds of the recorded score.
    """

    version: str
    base: float
    bars: Sequence[Bar]
    margin: float
    score_margin: float

    @classmethod
    def of(cls, model: LoadedModel, record: FeatureRecord) -> "Explanation":
        """Explain a recorded row by the model that decided it."""
        (parts,) = model.contributions(record.values[np.newaxis])
        longest = float(np.abs(parts).max()) or 1.0
        order = np.argsort(-np.abs(parts), kind="stable").tolist()
        bars = [
            Bar(
                record.names[at],
                feature_words(record.names[at]),
                value_text(record.names[at], float(record.values[at])),
                float(parts[at]),
                abs(float(parts[at])) / longest,
            )
            for at in order
            if parts[at] != 0.0
        ]
        margin = model.base_value + float(parts.sum())
        return cls(model.version, model.base_value, bars, margin, log_odds(float(record.score)))

    @property
    def difference(self) -> float:
        """How far the sum lies from the recorded score, log-odds."""
        return abs(self.margin - self.score_margin)

    @property
    def adds_up(self) -> bool:
        """Whether the parts tell of this score; a model that turns what its trees say around is not told by them."""
        return abs(math.tanh(self.margin / 2) - math.tanh(self.score_margin / 2)) / 2 <= _ROUNDING


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability.

    Examples
    --------
    >>> log_odds(0.5), log_odds(1.0)
    (0.0, inf)
    """
    if probability <= 0.0:
        return -math.inf
    return math.inf if probability >= 1.0 else math.log(probability / (1.0 - probability))
