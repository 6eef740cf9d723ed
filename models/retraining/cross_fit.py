"""The second fit: the recipe on two thirds of the cards, judged on the last third, three times."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from models.families.catalogue import family
from models.families.session import Evaluator, evaluator_of_fit
from models.retraining.disowned import disowned
from models.retraining.plan import RetrainPlan
from models.retraining.recipe import FitRecipe
from models.side_by_side import side_by_side
from models.training_rows import TrainingError, TrainingRows, thinned

SIDES: Final = 3
"""With two a fit has half of the new tactic, the champion all: the candidate looks worse than what is released."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossFit:
    """Scores of the recipe on rows whose cards the scoring fit has not seen.

    Attributes
    ----------
    score: float32[n], NaN where it was not asked for.
    one_side: the first of the fits as a worker would run it, for what is tried on changed rows and for the time it
        takes.
    """

    score: npt.NDArray[np.float32]
    one_side: Evaluator


def cross_fit(
    rows: TrainingRows,
    recipe: FitRecipe,
    judged: npt.NDArray[np.bool_],
    changed_at: int | None,
    plan: RetrainPlan,
    report: Callable[[str], None],
) -> CrossFit:
    """Fit on some of the cards and score the others, in turn, so that both sides hold the new tactic.

    Parameters
    ----------
    rows: mature rows; a card's hash says where it belongs.
    judged: bool[n] rows that need a score.
    changed_at: event time of the change, ms; None without one.

    Raises
    ------
    TrainingError: a side holds no fraud.
    """
    kind = family(recipe.family)
    side = (rows.card.astype(np.uint64) % np.uint64(SIDES)).astype(np.int64)
    score = np.full(len(rows), np.nan, np.float32)

    def fit_and_score(number: int) -> Evaluator:
        others = thinned(rows, plan.genuine_to_fit, plan.seed, side != number)
        wrong = disowned(others, changed_at, plan.seed) if recipe.disowns and changed_at is not None else None
        fitted_on = recipe.weigh(others, changed_at, wrong)
        if not fitted_on.is_fraud.any():
            raise TrainingError("a third of the cards has all the frauds; wait for more mature days")
        report(f"gate: fit {number + 1} of {SIDES} on {len(fitted_on):,} rows of other cards")
        fitted = kind.fit(fitted_on.values, fitted_on.is_fraud, fitted_on.weight, plan.seed, **recipe.parameters)
        scorer = evaluator_of_fit(kind, fitted, rows.values.shape[1])
        chosen = judged & (side == number)
        score[chosen] = scorer.score(rows.values[chosen])
        return scorer

    scorers = side_by_side(partial(fit_and_score, number) for number in range(SIDES))
    return CrossFit(score, scorers[0])
