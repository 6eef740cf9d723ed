"""Where review and decline begin: by what analysts can check, and by what a wrong decline may cost."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.manifest import Thresholds


class ThresholdError(FraudstreamError):
    """Raised for a capacity or a precision that cannot be met by any threshold."""


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """What the bank can and will do with alerts.

    Parameters
    ----------
    review_share
        Share of transactions to review.
    alerts_per_day
        The same as a number a day; goes before the share.
    decline_precision
        Least share of frauds among the declined: at .95 one customer is refused wrongly for 19 frauds stopped. None
        declines nothing.
    decline_evidence
        Least number of judged transactions a decline threshold must rest on.
    """

    review_share: float = 0.005
    alerts_per_day: float | None = None
    decline_precision: float | None = 0.95
    decline_evidence: int = 50

    def __post_init__(self) -> None:
        """Refuse what no threshold can meet."""
        if not 0.0 < self.review_share < 1.0:
            raise ThresholdError(f"review share {self.review_share} must lie between 0 and 1")
        if self.alerts_per_day is not None and not self.alerts_per_day > 0.0:
            raise ThresholdError(f"{self.alerts_per_day} alerts a day must be more than 0")
        if self.decline_precision is not None and not 0.0 < self.decline_precision <= 1.0:
            raise ThresholdError(f"decline precision {self.decline_precision} must lie between 0 and 1")

    def thresholds(
        self,
        scores: npt.NDArray[np.float32],
        is_fraud: npt.NDArray[np.bool_],
        days: float,
        weight: npt.NDArray[np.float64] | None = None,
    ) -> Thresholds:
        """Choose thresholds on rows that the scored model was not fitted on; `days` is the time that they span.

        What is declined needs no analyst: the capacity is for what lies below it. `weight` float64[n]
        says how many rows each one stands for, None that each stands for itself.

        Examples
        --------
        >>> scores = np.arange(100, dtype=np.float32) / 100
        >>> policy = ReviewPolicy(review_share=0.1, decline_precision=1.0, decline_evidence=4)
        >>> chosen = policy.thresholds(scores, scores > 0.95, days=1.0)
        >>> round(chosen.review, 2), round(chosen.decline, 2)
        (0.86, 0.96)
        """
        order = np.argsort(-scores, kind="stable")
        distinct, counts = np.unique(-scores, return_counts=True)
        levels, last = -distinct, np.cumsum(counts) - 1
        stands_for = np.ones(len(scores)) if weight is None else weight[order]
        above = np.cumsum(stands_for)[last]
        frauds = np.cumsum(stands_for * is_fraud[order])[last]
        rows = float(above[-1])
        decline = self._decline_level(frauds, above)
        declined = 0.0 if decline is None else float(above[decline])
        share = self.review_share if self.alerts_per_day is None else self.alerts_per_day * days / rows
        within = np.flatnonzero((above - declined <= share * rows) & (above > declined))
        if not len(within):
            raise ThresholdError(
                f"{share * rows:.1f} alerts on {rows:.0f} rows: more share the highest score; review more"
            )
        return Thresholds(float(levels[within[-1]]), None if decline is None else float(levels[decline]))

    def _decline_level(self, frauds: npt.NDArray[np.float64], above: npt.NDArray[np.float64]) -> int | None:
        """Return the lowest level down to which the precision is met, given frauds and rows at or above each level."""
        if self.decline_precision is None:
            return None
        met = np.flatnonzero((frauds >= self.decline_precision * above) & (above >= self.decline_evidence))
        return int(met[-1]) if len(met) else None
