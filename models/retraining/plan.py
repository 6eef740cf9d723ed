"""What the retrainer tries, and how much work it may make of it."""

from dataclasses import dataclass, field
from typing import Final

from models.retraining.recipe import FitRecipe
from models.thresholds import ReviewPolicy

_FINE: Final = {"max_bin": 1023}
"""A tactic at amounts below 1.00 lies in two of LightGBM's usual 255 bins; finer ones gain .02 average precision."""
_INCIDENT: Final = (
    FitRecipe("lightgbm", before_weight=0.2, half_life_days=28.0, disowns=True, parameters={**_FINE}),
    FitRecipe("lightgbm", before_weight=1.0, half_life_days=56.0, disowns=True, parameters={**_FINE}),
    FitRecipe("lightgbm", before_weight=0.2, half_life_days=28.0, parameters={**_FINE}),
)
_SCHEDULE: Final = (
    FitRecipe("hist_gradient_boosting"),
    FitRecipe("lightgbm"),
    FitRecipe("lightgbm", window_days=42),
)


@dataclass(frozen=True, slots=True)
class RetrainPlan:
    """What is tried.

    Parameters
    ----------
    incident: recipes after a change, with and without the old rows that it has made wrong: where the new fraud lies in
        a place of its own they have to go, where it lies among genuine payments they still teach (decision 17).
    schedule: recipes without a change.
    fewest_days_to_choose: mature days since the change that allow a choice by time, the last third of them held out;
        with fewer a third of the cards since the change is held out.
    choice_days: days held out without a change.
    old_cards: one in so many cards is held out before the change, to see what a recipe forgets.
    forgets: average precision on them that a recipe may be worse by than the best one.
    genuine_to_choose: genuine rows of a fit that only chooses, drawn and weighted up to all of them; all frauds stay.
    genuine_to_fit: of every other fit: those that the gate judges, the one that is released, and those that score its
        drift reference. More cost time and add no average precision (decision 24).
    gate_days: days before the change, or before now, that the gate looks at.
    largest_weight: of a control row. The default share of 5 % weighs 20.
    alerts_room: how far the alerts may move at the swap, as a share: a little less than the gate allows.
    policy: of the thresholds.
    seed: of fits and draws.
    """

    incident: tuple[FitRecipe, ...] = _INCIDENT
    schedule: tuple[FitRecipe, ...] = _SCHEDULE
    fewest_days_to_choose: int = 3
    choice_days: int = 7
    old_cards: int = 10
    forgets: float = 0.015
    genuine_to_choose: int = 60_000
    genuine_to_fit: int = 100_000
    gate_days: int = 56
    largest_weight: float = 20.0
    alerts_room: float = 0.15
    policy: ReviewPolicy = field(default_factory=ReviewPolicy)
    seed: int = 1
