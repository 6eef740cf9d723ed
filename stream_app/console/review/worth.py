"""What it is worth to look at a case: the order of the queue, in money."""

from dataclasses import dataclass

from models.schema.money import ReportingCurrency
from stream_app.console.records.amounts import amount_text
from stream_app.console.review.case import Case


@dataclass(frozen=True, slots=True)
class Worth:
    """Values cases: the calibrated probability of fraud, times the amount, less what a review costs.

    Parameters
    ----------
    money: rates into the reporting currency.
    review_cost_minor: what one review costs, in minor units of the reporting currency.

    Examples
    --------
    >>> Worth(ReportingCurrency("EUR", "example-1", {}), 500).minor(0.5, 12_000)
    5500
    """

    money: ReportingCurrency
    review_cost_minor: int

    def minor(self, score: float, reported_minor: int) -> int:
        """The expected value of a review in minor units; below zero a look costs more than it saves."""
        return round(score * reported_minor) - self.review_cost_minor

    def of(self, case: Case) -> int:
        """The expected value of reviewing a case."""
        return self.minor(case.score.score, case.reported_minor)

    def in_words(self, case: Case) -> str:
        """The sum as a person can check it."""
        currency = self.money.currency
        stake, cost = (amount_text(minor, currency) for minor in (case.reported_minor, self.review_cost_minor))
        return (
            f"{amount_text(self.of(case), currency)}: a chance of {case.score.score:.0%} that {stake} are lost, less "
            f"{cost} for a review"
        )

    @property
    def rule(self) -> str:
        """The order of the queue in one sentence."""
        cost = amount_text(self.review_cost_minor, self.money.currency)
        return (
            "The most valuable look comes first: the chance of fraud times the amount in "
            f"{self.money.currency}, less {cost}, which is what one review costs."
        )
