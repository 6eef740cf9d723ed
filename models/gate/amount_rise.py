"""The same frauds with a larger amount: every feature that hangs on the amount moves with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.features.card_measures import SMALL_AMOUNT

Values = npt.NDArray[np.float32]

FACTOR: Final = 3
"""Odd and no multiple of 5, so that a round amount stays round and any other one does not become round."""
_NEEDED: Final = ("amount", "card_usual_amount", "card_amount_to_usual")
_IN_PROPORTION: Final = ("amount", "card_amount_to_usual", "card_amount_to_mean_7d", "card_amount_to_max_30d")
_MINOR: Final = 100


@dataclass(frozen=True, slots=True, eq=False)
class AmountRise:
    """Rows before and after their amount grew.

    Attributes
    ----------
    before, after: float32[m, F].
    """

    before: Values
    after: Values

    @classmethod
    def of(cls, values: Values, feature_names: Sequence[str]) -> "AmountRise":
        """Raise the amount of those rows in which a larger one can only speak for fraud.

        These are rows of cards with a usual amount, which the row's exceeds, above the very small ones: a
        fraudster who tests cards pays little, and there a larger amount rightly speaks against it.

        `amount` and its ratios to the card's usual amount, mean and largest one grow in proportion, each only where it
        is a ratio and not the stand-in for no history; `card_amount_deviation` is linear in the amount. What the card
        did before does not change, and `amount_is_round` stays as it is.

        Parameters
        ----------
        values: float32[n, F] any rows.
        feature_names: F names; without the amount and the card's usual one no row is raised.

        Examples
        --------
        >>> names = ("amount", "card_usual_amount", "card_amount_to_usual", "card_amount_deviation")
        >>> AmountRise.of(np.array([[20, 10, 2, 4], [9, 10, 0.9, -1]], np.float32), names).after.tolist()
        [[60.0, 10.0, 6.0, 20.0]]
        """
        at = {name: place for place, name in enumerate(feature_names)}
        if not set(_NEEDED) <= set(at):
            return cls(values[:0], values[:0])
        amount = _minor(values[:, at["amount"]])
        usual = _minor(values[:, at["card_usual_amount"]])
        before = values[(usual > 0) & (amount > usual) & (amount > SMALL_AMOUNT)]
        after = before.copy()
        for name in _IN_PROPORTION:
            if name in at:
                after[:, at[name]] = np.where(_is_ratio(name, before, at), FACTOR, 1) * before[:, at[name]]
        if "card_amount_deviation" in at:
            place = at["card_amount_deviation"]
            amount, usual = _minor(before[:, at["amount"]]), _minor(before[:, at["card_usual_amount"]])
            after[:, place] = before[:, place] * (FACTOR * amount - usual) / (amount - usual)
        return cls(before, after)


def _minor(column: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    return np.round(column.astype(np.float64) * _MINOR)


def _is_ratio(name: str, values: Values, at: dict[str, int]) -> npt.NDArray[np.bool_]:
    """Whether the card has paid in the 7 days of the one ratio that looks back less far than the usual amount."""
    if name != "card_amount_to_mean_7d" or "card_count_7d" not in at:
        return np.ones(len(values), np.bool_)
    return np.asarray(values[:, at["card_count_7d"]] > 0)
