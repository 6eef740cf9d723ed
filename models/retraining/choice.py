"""The first fit: which recipe does best on the latest days, fitted on the ones before them."""

from collections.abc import Callable

import msgspec
import numpy as np

from models.families.catalogue import family
from models.metrics.ranking import average_precision
from models.retraining.plan import RetrainPlan
from models.retraining.recipe import FitRecipe
from models.schema.topics import DAY_MS
from models.training_rows import TrainingRows, thinned


class Tried(msgspec.Struct, frozen=True):
    """A recipe and what it reached.

    Attributes
    ----------
    average_precision: on the days held out.
    old_fraud: of the frauds of other cards before the change, among the genuine rows of the days held out; None without
        a change, or without such frauds.
    """

    recipe: FitRecipe
    average_precision: float
    old_fraud: float | None = None


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


def choose(rows: TrainingRows, changed_at: int | None, plan: RetrainPlan, report: Callable[[str], None]) -> Choice:
    """Choose a recipe on a split in time.

    After a change the days held out lie behind it, and so do some that are fitted on: a split that holds all of the new
    tactic out would prefer to forget nothing.

    Parameters
    ----------
    rows: mature rows.
    changed_at: event time of the change, ms; None without one.
    """
    recipes = plan.schedule if changed_at is None else plan.incident
    if len(recipes) == 1:
        return Choice(recipes[0], "the plan names no other")
    end = int(rows.event_time.max()) // DAY_MS + 1
    days = plan.choice_days
    if changed_at is not None:
        since = end - changed_at // DAY_MS
        if since < plan.fewest_days_to_choose:
            return Choice(recipes[0], f"{since} mature days since the change are too few to choose by")
        days = max(1, since // 3)
    held_out_from = (end - days) * DAY_MS
    late = rows.event_time >= held_out_from
    old = np.zeros(len(rows), np.bool_)
    if changed_at is not None:
        old = (rows.card.astype(np.uint64) % np.uint64(plan.old_cards) == 0) & (rows.event_time < changed_at)
    early = rows.take(~late & ~old)
    held_out, old_fraud = rows.take(late), rows.take(old & rows.is_fraud)
    if not early.is_fraud.any() or not held_out.is_fraud.any():
        return Choice(recipes[0], "no fraud on both sides of a split in time")
    tried = [_try(early, held_out, old_fraud, recipe, changed_at, plan, report) for recipe in recipes]
    keeps = max((one.old_fraud for one in tried if one.old_fraud is not None), default=0.0) - plan.forgets
    tried.sort(key=lambda one: (one.old_fraud is not None and one.old_fraud < keeps, -one.average_precision))
    best = tried[0]
    reason = f"average precision {best.average_precision:.3f} on the last {days} mature days, best of {len(tried)}"
    if any(one.old_fraud is not None for one in tried):
        reason += " that keep the old fraud"
    return Choice(best.recipe, reason, held_out_from, tried)


def _try(
    early: TrainingRows,
    held_out: TrainingRows,
    old_fraud: TrainingRows,
    recipe: FitRecipe,
    changed_at: int | None,
    plan: RetrainPlan,
    report: Callable[[str], None],
) -> Tried:
    rows = recipe.weigh(thinned(early, plan.genuine_to_choose, plan.seed), changed_at, plan.seed)
    fitted = family(recipe.family).fit(rows.values, rows.is_fraud, rows.weight, plan.seed, **recipe.parameters)
    score = np.asarray(fitted.predict_proba(held_out.values)[:, 1], np.float32)
    kept, told = None, ""
    if len(old_fraud):
        old = np.asarray(fitted.predict_proba(old_fraud.values)[:, 1], np.float32)
        genuine = score[~held_out.is_fraud]
        is_old = np.arange(len(old) + len(genuine)) < len(old)
        kept = average_precision(is_old, np.concatenate((old, genuine)))
        told = f", {kept:.3f} for other cards' frauds of before the change among their genuine rows"
    tried = Tried(recipe, average_precision(held_out.is_fraud, score), kept)
    report(f"{recipe.title}: average precision {tried.average_precision:.3f} on the days held out{told}")
    return tried
