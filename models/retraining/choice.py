"""The first fit: which recipe does best on the latest days, fitted on the ones before them."""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.families.catalogue import family
from models.families.session import evaluator_of_fit
from models.metrics.ranking import average_precision
from models.retraining.disowned import disowned
from models.retraining.plan import RetrainPlan
from models.retraining.recipe import FitRecipe
from models.schema.topics import DAY_MS
from models.side_by_side import side_by_side
from models.training_rows import TrainingRows, thinned

_THIRD: Final = np.uint64(3)


class Tried(msgspec.Struct, frozen=True):
    """A recipe, the average precision that it reached on the rows held out, and on cards held out before the change."""

    recipe: FitRecipe
    average_precision: float
    before: float | None = None


class Choice(msgspec.Struct, frozen=True):
    """Which recipe goes on, and why.

    Attributes
    ----------
    recipe: the chosen one.
    reason: one sentence.
    held_out_from: event time of the first row held out, ms; None where nothing could be.
    tried: all recipes, best first; empty where nothing could be held out.
    """

    recipe: FitRecipe
    reason: str
    held_out_from: int | None = None
    tried: list[Tried] = []


def choose(
    rows: TrainingRows,
    changed_at: int | None,
    plan: RetrainPlan,
    report: Callable[[str], None],
    wrong: npt.NDArray[np.bool_] | None = None,
) -> Choice:
    """Choose a recipe on a split in time.

    After a change the days held out lie behind it, and so do some that are fitted on: a split that holds all of the new
    tactic out would prefer to forget nothing. While there are too few such days some of the cards are held out.

    Parameters
    ----------
    rows: mature rows.
    changed_at: event time of the change, ms; None without one.
    wrong: bool[n] the disowned rows, which do not tell how well the old fraud is found; None where there are none.
    """
    recipes = plan.schedule if changed_at is None else plan.incident
    if len(recipes) == 1:
        return Choice(recipes[0], "the plan names no other")
    late, where = _held_out(rows, changed_at, plan)
    old = np.zeros(len(rows), np.bool_)
    if changed_at is not None:
        other_cards = rows.card.astype(np.uint64) % np.uint64(plan.old_cards) == 0
        old = other_cards & (rows.event_time < changed_at)
        old = old if wrong is None else old & ~wrong
    early = thinned(rows, plan.genuine_to_choose, plan.seed, ~late & ~old)
    held_out = rows.take(late), rows.take(old)
    if not early.is_fraud.any() or not held_out[0].is_fraud.any():
        return Choice(recipes[0], f"no fraud both on {where} and elsewhere")
    early_wrong = None
    if changed_at is not None and any(recipe.disowns for recipe in recipes):
        early_wrong = disowned(early, changed_at, plan.seed)
    tried = side_by_side(
        partial(_try, recipe.weigh(early, changed_at, early_wrong), held_out, recipe, plan.seed, report)
        for recipe in recipes
    )
    keeps = max((one.before for one in tried if one.before is not None), default=0.0) - plan.forgets
    tried.sort(key=lambda one: (one.before is not None and one.before < keeps, -one.average_precision))
    best = tried[0]
    reason = f"average precision {best.average_precision:.3f} on {where}, best of {len(tried)}"
    if any(one.before is not None for one in tried):
        reason += " that keep the old fraud"
    return Choice(best.recipe, reason, int(rows.event_time[late].min()) // DAY_MS * DAY_MS, tried)


def _held_out(rows: TrainingRows, changed_at: int | None, plan: RetrainPlan) -> tuple[npt.NDArray[np.bool_], str]:
    """Return which rows are held out, bool[n], and what they are called."""
    end, days = int(rows.event_time.max()) // DAY_MS + 1, plan.choice_days
    if changed_at is not None:
        since = end - changed_at // DAY_MS
        if since < plan.fewest_days_to_choose:
            third = rows.card.astype(np.uint64) // np.uint64(plan.old_cards) % _THIRD == 0
            return np.asarray(third & (rows.event_time >= changed_at)), "a third of the cards since the change"
        days = max(1, since // 3)
    return np.asarray(rows.event_time >= (end - days) * DAY_MS), f"the last {days} mature days"


def _try(
    rows: TrainingRows,
    held_out: tuple[TrainingRows, TrainingRows],
    recipe: FitRecipe,
    seed: int,
    report: Callable[[str], None],
) -> Tried:
    kind = family(recipe.family)
    fitted = kind.fit(rows.values, rows.is_fraud, rows.weight, seed, **recipe.parameters)
    scorer = evaluator_of_fit(kind, fitted, rows.values.shape[1])
    reached = [
        average_precision(part.is_fraud, scorer.score(part.values)) if part.is_fraud.any() else None
        for part in held_out
    ]
    tried = Tried(recipe, reached[0] or 0.0, reached[1])
    before = "" if tried.before is None else f", {tried.before:.3f} on other cards before the change"
    report(f"{recipe.title}: average precision {tried.average_precision:.3f} on the rows held out{before}")
    return tried
