"""How long each stage of a release lasts and how much it must have seen."""

from dataclasses import dataclass

from models.errors import FraudstreamError
from models.schema.topics import DAY_MS

HOUR_MS = 3_600_000


class ReleasePlanError(FraudstreamError):
    """Raised for a plan that no release can follow."""


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """Settings of the release loop; hours and days are event time.

    Raises
    ------
    ReleasePlanError: a stage that cannot end, or a share outside 0 to 1.

    Examples
    --------
    >>> ReleasePlan(canary_share=2)
    Traceback (most recent call last):
    models.release.plan.ReleasePlanError: a canary share of 2 must lie above 0 and not above 1
    """

    shadow_transactions: int = 10_000
    """Ends the shadow stage. With the canary's these are the 20,000 that a release may take."""
    shadow_hours: float = 3.0
    """The same, where fewer come."""
    canary_transactions: int = 10_000
    """Ends the canary stage."""
    canary_hours: float = 3.0
    """The same, where fewer come."""
    canary_share: float = 0.1
    """Cards that the canary decides for: what it can spoil before a guardrail breaks is a tenth."""
    least_rows: int = 1_000
    """Rows with both scores without which nothing is promoted. A constant, inverted or permuted model is found within
    them; three times the alerts need some 4,000 (docs/release.md), so hours alone end no stage of a large bank."""
    watch_days: float = 7.0
    """For so long after a promotion the previous champion scores on in shadow."""
    maturity_days: float = 7.0
    """And for so long afterwards labels of those days can still roll back: they mature by then."""
    patience_rows: int = 20_000
    """Transactions that may go by without a scorer that has loaded the candidate, or the champion that is watched."""
    patience_hours: float = 24.0
    """Event hours that the shadow stage may wait for `least_rows`, no fewer than `shadow_hours`: a small bank has a few
    hundred transactions in a night."""
    window_rows: int = 20_000
    """Rows that the guardrails look back over while a promoted model is watched."""

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be followed."""
        if not 0 < self.canary_share <= 1:
            raise ReleasePlanError(f"a canary share of {self.canary_share} must lie above 0 and not above 1")
        positive = {
            "shadow_transactions": self.shadow_transactions,
            "shadow_hours": self.shadow_hours,
            "canary_transactions": self.canary_transactions,
            "canary_hours": self.canary_hours,
            "least_rows": self.least_rows,
            "watch_days": self.watch_days,
            "patience_rows": self.patience_rows,
            "patience_hours": self.patience_hours,
            "window_rows": self.window_rows,
        }
        for name, value in positive.items():
            if not value > 0:
                raise ReleasePlanError(f"{name} of {value} must be above 0")
        if self.least_rows > min(self.shadow_transactions, self.canary_transactions, self.window_rows):
            raise ReleasePlanError(f"no stage of this plan comes to {self.least_rows} rows: lower least_rows")

    @property
    def watch_ms(self) -> int:
        """Event time of the watch."""
        return round(self.watch_days * DAY_MS)

    @property
    def maturing_ms(self) -> int:
        """Event time from a promotion until the last of its labels are mature."""
        return round((self.watch_days + self.maturity_days) * DAY_MS)
