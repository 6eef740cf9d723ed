"""What two models said of the same transactions: the input of the guardrails."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError

Scores = npt.NDArray[np.float32]


class PairsError(FraudstreamError):
    """Raised when columns of pairs do not fit together."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """One row per transaction that both models were asked about, in the order in which they came.

    Attributes
    ----------
    score, baseline_score: float32[n], NaN where a model gave none.
    decision, baseline_decision: uint8[n] APPROVE, REVIEW or DECLINE by each one's own thresholds; where it gave no
        score, anything.
    amount: int64[n] minor units of the reporting currency.
    card: uint64[n].
    event_time: int64[n] ms.
    canary: bool[n] whether the model decided the row as a canary.
    us, baseline_us: float32[n] microseconds a row that each took for the batch, NaN where nobody says.
    batch: int64[n] number of the batch.
    """

    score: Scores
    baseline_score: Scores
    decision: npt.NDArray[np.uint8]
    baseline_decision: npt.NDArray[np.uint8]
    amount: npt.NDArray[np.int64]
    card: npt.NDArray[np.uint64]
    event_time: npt.NDArray[np.int64]
    canary: npt.NDArray[np.bool_]
    us: npt.NDArray[np.float32]
    baseline_us: npt.NDArray[np.float32]
    batch: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse columns of unequal lengths."""
        lengths = {len(getattr(self, name)) for name in COLUMNS}
        if len(lengths) > 1:
            raise PairsError(f"pairs have columns of lengths {sorted(lengths)}: give one entry per row")

    def __len__(self) -> int:
        """How many rows."""
        return len(self.score)

    @property
    def complete(self) -> npt.NDArray[np.bool_]:
        """Rows for which both gave a score, bool[n]."""
        return np.asarray(np.isfinite(self.score) & np.isfinite(self.baseline_score))

    def take(self, rows: npt.NDArray[np.bool_] | slice) -> "Pairs":
        """Return the chosen rows."""
        return Pairs(**{name: getattr(self, name)[rows] for name in COLUMNS})

    @classmethod
    def concat(cls, parts: Sequence["Pairs"]) -> "Pairs":
        """Return the rows of several, in order; none for no part."""
        if not parts:
            return cls.none()
        joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
        return cls(**joined)

    @classmethod
    def none(cls) -> "Pairs":
        """Return no rows.

        Examples
        --------
        >>> len(Pairs.none())
        0
        """
        return cls(
            score=np.empty(0, np.float32),
            baseline_score=np.empty(0, np.float32),
            decision=np.empty(0, np.uint8),
            baseline_decision=np.empty(0, np.uint8),
            amount=np.empty(0, np.int64),
            card=np.empty(0, np.uint64),
            event_time=np.empty(0, np.int64),
            canary=np.empty(0, np.bool_),
            us=np.empty(0, np.float32),
            baseline_us=np.empty(0, np.float32),
            batch=np.empty(0, np.int64),
        )


COLUMNS = tuple(field.name for field in fields(Pairs))
