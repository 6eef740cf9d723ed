"""A flagged transaction that waits for an analyst, or that one has decided."""

from dataclasses import dataclass

from models.schema.score import ReasonCode, Score
from stream_app.console.records.place import Place


@dataclass(frozen=True, slots=True)
class Payment:
    """What the feature log says of a transaction beside its feature values."""

    terminal_id: str
    amount_minor: int
    currency: str
    mcc: str | None
    country: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A score that asks for a person, with the payment that it is about.

    Attributes
    ----------
    reported_minor: the amount in the reporting currency.
    """

    place: Place
    score: Score
    payment: Payment
    reported_minor: int

    @property
    def transaction_id(self) -> str:
        """The bank's identifier."""
        return self.score.transaction_id

    @property
    def reason_codes(self) -> list[ReasonCode]:
        """Why it was flagged, the strongest reason first."""
        return self.score.reason_codes
