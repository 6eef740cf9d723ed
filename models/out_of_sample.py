"""A model's drift reference: scores of its own recipe on rows that the scoring fit has not seen."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.drift.reference import DriftReference, DriftReferenceError, build_reference
from models.families.base import Family, Parameter
from models.families.session import evaluator_of_fit
from models.features.feature_set import FeatureSet
from models.features.history import NO_LABEL
from models.metrics.scored_rows import ScoredRows
from models.schema.topics import DAY_MS
from models.side_by_side import side_by_side
from models.training_rows import TrainingRows, thinned

FOLDS: Final = 4
MOST_WEEKS: Final = 4
MOST_GENUINE: Final = 150_000
"""Genuine rows that each fold is fitted on at most, weighted up to all of them."""

Report = Callable[[str], None]


def drift_reference(
    kind: Family,
    parameters: Mapping[str, Parameter],
    rows: TrainingRows,
    feature_set: FeatureSet,
    *,
    seed: int,
    maturity_ms: int,
    report: Report,
    most_genuine: int | None = None,
) -> DriftReference | None:
    """Return the reference on the last whole weeks, or None, with the reason reported, where the rows allow none.

    A terminal that is abused for weeks can be told by its counts, so a model that has seen some of its frauds knows
    the others: rows are scored by fits that have seen no row of their terminals. Measured on a simulated bank:
    average precision .33 to .35 in the weeks to come; .36 with folds of terminals, .43 with folds of weeks, .69 in the
    sample.

    Labels count as they were known `maturity_ms` after the end of their day, as they will be when the model is watched.

    Parameters
    ----------
    kind, parameters: the recipe's family.
    rows: the training rows; without terminals, times of labels and reference days there is no reference.
    feature_set: names the columns.
    seed: of fits, thinning and resampling.
    maturity_ms: age at which labels count as complete.
    report: told what is done, and why there is no reference.
    most_genuine: genuine rows that are drawn for the released fit, and so for each fold; None where that is fitted on
        all rows.
    """
    if rows.reference_days is None or rows.terminal is None or rows.labelled_at is None:
        report("no drift reference: the rows do not say their terminals, label times and whole days")
        return None
    first, end = rows.reference_days
    weeks = min(MOST_WEEKS, (end - first) // 7)
    first = end - 7 * weeks
    day = rows.event_time // DAY_MS
    chosen = np.flatnonzero((day >= first) & (day < end))
    chosen = chosen[np.argsort(rows.event_time[chosen], kind="stable")]
    try:
        score = _fold_scores(kind, parameters, rows, chosen, most_genuine, seed, report)
        report(f"calibrating the drift tests on {len(chosen):,} rows that were scored out of sample")
        return build_reference(
            _scored(rows, chosen, score, maturity_ms),
            feature_set.names,
            [feature.name for feature in feature_set.features if feature.unit == "code"],
            f"{weeks} weeks to {_date(end)} (not included), scored out of sample by {FOLDS} fits on other terminals",
            seed=seed,
        )
    except DriftReferenceError as error:
        report(f"no drift reference: {error}")
        return None


def _fold_scores(
    kind: Family,
    parameters: Mapping[str, Parameter],
    rows: TrainingRows,
    chosen: npt.NDArray[np.int64],
    most_genuine: int | None,
    seed: int,
    report: Report,
) -> npt.NDArray[np.float32]:
    assert rows.terminal is not None
    fold = rows.terminal % np.uint64(FOLDS)
    scores = np.zeros(len(chosen), np.float32)

    def fit_and_score(number: int) -> None:
        scored = fold[chosen] == number
        if not scored.any():
            return
        fitted = _drawn(rows, fold != number, most_genuine, seed)
        if not fitted.is_fraud.any():
            raise DriftReferenceError("no fraud outside one fold of the terminals; give more days")
        report(f"drift reference: fit {number + 1} of {FOLDS} on {len(fitted):,} rows of other terminals")
        estimator = kind.fit(fitted.values, fitted.is_fraud, fitted.weight, seed, **parameters)
        scorer = evaluator_of_fit(kind, estimator, rows.values.shape[1])
        scores[scored] = scorer.score(rows.values[chosen[scored]])

    side_by_side(partial(fit_and_score, number) for number in range(FOLDS))
    return scores


def _drawn(rows: TrainingRows, among: npt.NDArray[np.bool_], most_genuine: int | None, seed: int) -> TrainingRows:
    """Draw a fold's rows; they weigh what the released fit's do, for a family's penalties move its lowest scores."""
    few = thinned(rows, MOST_GENUINE if most_genuine is None else min(most_genuine, MOST_GENUINE), seed, among)
    if most_genuine is not None or few.weight is None:
        return few
    whole = float(among.sum() if rows.weight is None else rows.weight[among].sum())
    return few.weighted(few.weight * (whole / few.weight.sum()))


def _scored(
    rows: TrainingRows, chosen: npt.NDArray[np.int64], score: npt.NDArray[np.float32], maturity_ms: int
) -> ScoredRows:
    assert rows.terminal is not None
    assert rows.labelled_at is not None
    times, labelled_at = rows.event_time[chosen], rows.labelled_at[chosen]
    matured_at = (times // DAY_MS + 1) * DAY_MS + maturity_ms
    in_time = (labelled_at != NO_LABEL) & (labelled_at <= matured_at)
    n = len(chosen)
    return ScoredRows(
        event_time=times,
        transaction=np.zeros(n, np.uint64),
        card=rows.card[chosen].astype(np.uint64),
        terminal=rows.terminal[chosen],
        amount_minor=np.zeros(n, np.int64),
        score=score,
        decision=np.zeros(n, np.uint8),
        control=np.zeros(n, np.bool_),
        pass_probability=np.ones(n, np.float32),
        values=rows.values[chosen],
        is_fraud=rows.is_fraud[chosen] & in_time,
        stated_at=np.where(in_time, labelled_at, NO_LABEL),
        label_source=np.zeros(n, np.uint8),
        latency_ms=np.full(n, np.nan, np.float32),
        model_version="",
        as_of=int(matured_at.max(initial=0)),
    )


def _date(day: int) -> str:
    return str(np.datetime64(day, "D"))


def in_manifest(reference: DriftReference | None) -> dict[str, object] | None:
    """Return the reference as plain data for a manifest."""
    plain: dict[str, object] | None = None if reference is None else msgspec.to_builtins(reference)
    return plain
