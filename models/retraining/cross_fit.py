"""The second fit: the recipe on two thirds of the cards, judged on the last third, three times."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.families.catalogue import family
from models.families.graph import INPUT, OUTPUT
from models.families.session import open_session
from models.retraining.disowned import disowned
from models.retraining.plan import RetrainPlan
from models.retraining.recipe import FitRecipe
from models.training_rows import TrainingError, TrainingRows, thinned

SIDES: Final = 3
"""With two a fit has half of the new tactic, the champion all: the candidate looks worse than what is released."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossFit:
    """Scores of the recipe on rows whose cards the scoring fit has not seen.

    Attributes
    ----------
    score: float32[n], NaN where it was not asked for.
    one_side: the first of the fits as a graph, for what is tried on changed rows and for the time it takes.
    """

    score: npt.NDArray[np.float32]
    one_side: "GraphScores"


class GraphScores:
    """A fitted graph that scores rows as a scorer would.

    Parameters
    ----------
    content: serialised ONNX.
    """

    def __init__(self, content: bytes) -> None:
        self._session = open_session(content)

    def score(self, values: npt.NDArray[np.float32], /) -> npt.NDArray[np.float32]:
        """Return the probability of fraud [n] for rows of features [n, F]."""
        return np.asarray(self._session.run([OUTPUT], {INPUT: values})[0], np.float32).reshape(-1)


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
    graphs = []
    for number in range(SIDES):
        others = thinned(rows.take(side != number), plan.genuine_to_judge, plan.seed)
        wrong = disowned(others, changed_at, plan.seed) if recipe.disowns and changed_at is not None else None
        fitted_on = recipe.weigh(others, changed_at, wrong)
        if not fitted_on.is_fraud.any():
            raise TrainingError("a third of the cards has all the frauds; wait for more mature days")
        report(f"gate: fit {number + 1} of {SIDES} on {len(fitted_on):,} rows of other cards")
        fitted = kind.fit(fitted_on.values, fitted_on.is_fraud, fitted_on.weight, plan.seed, **recipe.parameters)
        graphs.append(GraphScores(kind.to_onnx(fitted, rows.values.shape[1]).SerializeToString()))
        chosen = judged & (side == number)
        score[chosen] = graphs[-1].score(np.ascontiguousarray(rows.values[chosen]))
    return CrossFit(score, graphs[0])
