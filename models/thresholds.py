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
        Share of transactions at or above the review threshold.
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

    def thresholds(self, scores: npt.NDArray[np.float32], is_fraud: npt.NDArray[np.bool_], days: float) -> Thresholds:
        """Choose thresholds on rows that the scored model was not fitted on; `days` is the time that they span.

        Examples
        --------
        >>> scores = np.arange(100, dtype=np.float32) / 100
        >>> ReviewPolicy(review_share=0.1, decline_precision=1.0, decline_evidence=4).thresholds(
        ...     scores, scores > 0.95, 1.0
        ... )
        Thresholds(review=0.8999999761581421, decline=0.9599999785423279)
        """
        share = self.review_share if self.alerts_per_day is None else self.alerts_per_day * days / len(scores)
        distinct, counts = np.unique(-scores, return_counts=True)
        levels, alerts = -distinct, np.cumsum(counts)
        within = np.flatnonzero(alerts <= share * len(scores))
        if not len(within):
            raise ThresholdError(
                f"{share * len(scores):.1f} alerts on {len(scores)} rows: more rows share the highest score; review more"
            )
        review = float(levels[within[-1]])
        if self.decline_precision is None:
            return Thresholds(review)
        order = np.argsort(-scores, kind="stable")
        precision = np.cumsum(is_fraud[order])[alerts - 1] / alerts
        enough = within[(precision[within] >= self.decline_precision) & (alerts[within] >= self.decline_evidence)]
        return Thresholds(review, float(levels[enough[-1]]) if len(enough) else None)
