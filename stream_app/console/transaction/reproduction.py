"""A score computed again by the model that gave it, from the feature values that were recorded: equal bit for bit."""

from dataclasses import dataclass

import numpy as np

from models.scorer import DECISIONS, LoadedModel
from stream_app.console.transaction.decision import Decision, FeatureRecord


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Two scores beside each other.

    Attributes
    ----------
    logged: what the feature log recorded; published: what the topic `scores` says; again: what it is now.
    """

    version: str
    published: np.float32
    logged: np.float32
    again: np.float32
    decided: str
    decision_again: str
    features: int

    @classmethod
    def of(cls, model: LoadedModel, decision: Decision, record: FeatureRecord) -> "Reproduction":
        """Score a recorded row once more."""
        scores = model.score(record.values[np.newaxis])
        (code,) = model.decide(scores).tolist()
        return cls(
            model.version,
            np.float32(decision.score.score),
            record.score,
            scores[0],
            decision.score.decision,
            DECISIONS[code],
            len(record.values),
        )

    @property
    def is_equal(self) -> bool:
        """Whether all 32 bits of the three agree."""
        return bits(self.published) == bits(self.logged) == bits(self.again)

    @property
    def in_words(self) -> str:
        """The outcome in one sentence."""
        if self.is_equal:
            return f"Equal, bit for bit: {self.version} gives {self.again:.9g} again ({bits(self.again)})."
        return (
            f"Different: {self.version} gives {self.again:.9g} ({bits(self.again)}), published was "
            f"{self.published:.9g} ({bits(self.published)}), logged {self.logged:.9g} ({bits(self.logged)})."
        )


def bits(score: np.float32) -> str:
    """Return the bits of a score.

    Examples
    --------
    >>> bits(np.float32(0.5))
    '0x3f000000'
    """
    return f"0x{int(np.float32(score).view(np.uint32)):08x}"
