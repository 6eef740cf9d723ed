"""One feature: what a column of the feature matrix means and how long it takes to fill."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the feature matrix.

    Attributes
    ----------
    name: column name; unique in its set.
    description: what is computed, exactly, and what stands where there is no history.
    unit: unit of the values.
    window_days: days of history that it looks at; None where it looks at the transaction alone.
    warm_up_days: days of history after which its distribution has settled; references for drift start after them.
    reason: plain words for an analyst when the feature speaks for fraud.
    """

    name: str
    description: str
    unit: str
    window_days: float | None
    warm_up_days: float
    reason: str
