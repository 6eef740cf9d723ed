"""A way of fitting: the kind of model, which rows, and how much each of them counts."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.families.base import Parameter
from models.families.catalogue import DEFAULT_FAMILY
from models.schema.topics import DAY_MS
from models.training_rows import TrainingRows

_NEXT_TO_NOTHING: Final = 1e-6
"""Weight that every row keeps: some libraries drop rows of weight 0 and would see no fraud at all."""


class FitRecipe(msgspec.Struct, frozen=True):
    """How to fit.

    Attributes
    ----------
    family, parameters: kind of model, and what it takes beside its defaults.
    before_weight: what a row from before the change counts, one from after it counting 1.
    half_life_days: and half of that for so many days further back from the change, or from the newest row where there
        was none; None lets them all count alike.
    window_days: rows older than that are left out; None takes all.
    disowns: genuine rows from before the change that look like its fraud count next to nothing.
    """

    family: str = DEFAULT_FAMILY
    before_weight: float = 1.0
    half_life_days: float | None = None
    window_days: int | None = None
    disowns: bool = False
    parameters: dict[str, Parameter] = {}

    @property
    def title(self) -> str:
        """In words.

        Examples
        --------
        >>> FitRecipe("lightgbm", before_weight=0.05, half_life_days=28.0).title
        'lightgbm, rows from before the change count 0.05, half of it every 28 days'
        """
        parts = [self.family]
        if self.before_weight != 1.0:
            parts.append(f"rows from before the change count {self.before_weight:g}")
        if self.half_life_days is not None:
            parts.append(f"{'half of it' if len(parts) > 1 else 'rows count half'} every {self.half_life_days:g} days")
        if self.window_days is not None:
            parts.append(f"rows of {self.window_days} days")
        if self.disowns:
            parts.append("without genuine ones that look like the new fraud")
        return ", ".join(parts)

    def weigh(
        self, rows: TrainingRows, changed_at: int | None, wrong: npt.NDArray[np.bool_] | None = None
    ) -> TrainingRows:
        """Return the rows that are fitted on, with their weights; on average a row weighs 1.

        Parameters
        ----------
        rows: in any order; their own weights, of control rows, are kept as a factor.
        changed_at: event time of the change, ms; None without one.
        wrong: bool[n] the disowned ones of these rows, for a recipe that leaves them out; None where there are none.
        """
        newest = int(rows.event_time.max())
        if self.window_days is not None:
            young = rows.event_time > newest - self.window_days * DAY_MS
            rows, wrong = rows.take(young), None if wrong is None else wrong[young]
        weight = np.ones(len(rows)) if rows.weight is None else rows.weight
        before_days = np.maximum((newest if changed_at is None else changed_at) - rows.event_time, 0) / DAY_MS
        if changed_at is not None:
            weight = np.where(before_days > 0, self.before_weight * weight, weight)
        if self.half_life_days is not None:
            weight = weight * np.maximum(0.5 ** (before_days / self.half_life_days), _NEXT_TO_NOTHING)
        if self.disowns and wrong is not None:
            weight = np.where(wrong, _NEXT_TO_NOTHING * weight, weight)
        return rows.weighted(weight * (len(rows) / weight.sum()))
