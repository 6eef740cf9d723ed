"""From labelled rows to a signed bundle: judged on later rows than it was fitted on, then fitted again on all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.bundle import Bundle
from models.drift.reference import DriftReference
from models.families.base import Estimator, Family, Parameter, Values, resolve_parameters
from models.families.catalogue import DEFAULT_FAMILY, family
from models.features.feature_set import DEFAULT, FeatureSet
from models.manifest import Figures, Golden, Lineage, Manifest, Thresholds
from models.metrics.ranking import auc, average_precision, card_precision
from models.out_of_sample import drift_reference, in_manifest
from models.scorer import LoadedModel
from models.side_by_side import side_by_side
from models.signing import AllowedSigners, SigningKey
from models.thresholds import ReviewPolicy
from models.training_rows import TrainingError, TrainingRows, thinned

DAY_MS = 24 * 3600 * 1000
_GOLDEN_ROWS = 48
_GOLDEN_UNKNOWN_SHARE = 0.2
_GOLDEN_DRAWN_FROM = 50_000
_CARDS_A_DAY = 100


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Parameters
    ----------
    family, parameters
        The kind of model, and what it takes beside its defaults.
    seed
        Of everything random.
    hold_out_share
        Share of the rows, the latest, on which the model is judged before it is fitted on all of them.
    gap_ms
        Time left out before the hold-out: as late as labels come, for a model in use knows nothing younger.
    policy
        Chooses the thresholds.
    most_genuine
        Genuine rows that are drawn for a fit and weighted up to all of them; all frauds stay. None takes every row, and
        for the drift reference as many as that finds useful.
    """

    family: str = DEFAULT_FAMILY
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    seed: int = 1
    hold_out_share: float = 0.2
    gap_ms: int = 7 * DAY_MS
    policy: ReviewPolicy = field(default_factory=ReviewPolicy)
    most_genuine: int | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the manifest says of when, by which code, what for, and how to make it again; `created_at` is in ms."""

    created_at: int
    code_commit: str
    lineage: Lineage = field(default_factory=Lineage)
    making: dict[str, Any] | None = None


def train(
    rows: TrainingRows,
    recipe: Recipe,
    provenance: Provenance,
    key: SigningKey,
    feature_set: FeatureSet = DEFAULT,
    report: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Fit, judge, choose thresholds, fit again on all rows, sign, and load as a scorer does; `report` hears each step.

    Raises
    ------
    TrainingError, FamilyError, ThresholdError
        The rows do not suffice, or the recipe cannot be followed.
    BundleError
        The graph does not score as the fitted model does.
    """
    kind = family(recipe.family)
    parameters = resolve_parameters(kind, recipe.parameters)
    early, late = split_in_time(rows, recipe.hold_out_share, recipe.gap_ms)
    report(f"fitting {kind.name} on {len(early):,} rows to judge it on {len(late):,} later ones")
    judged = _fit(kind, parameters, early, recipe)
    scores = probabilities(judged, late.values)
    thresholds = recipe.policy.thresholds(scores, late.is_fraud, float(np.ptp(late.event_time)) / DAY_MS)
    fit = f"the same recipe fitted on the {len(early):,} earlier rows; the released model is fitted on all"
    figures = Judged(thresholds, {"hold_out": judge(scores, late, thresholds, fit)})
    return fit_released(rows, recipe, figures, provenance, key, feature_set, report)


@dataclass(frozen=True, slots=True)
class Judged:
    """What fits on a part of the rows have shown before the one that is released.

    Attributes
    ----------
    thresholds: chosen on rows that the scoring fit has not seen.
    metrics: by name of the fit.
    recipe, gate: for the manifest.
    """

    thresholds: Thresholds
    metrics: dict[str, Figures]
    recipe: dict[str, Any] | None = None
    gate: dict[str, Any] | None = None


def fit_released(
    rows: TrainingRows,
    recipe: Recipe,
    judged: Judged,
    provenance: Provenance,
    key: SigningKey,
    feature_set: FeatureSet = DEFAULT,
    report: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Fit, add reference and golden vectors, sign, and load as a scorer does.

    The manifest describes all rows, also those that `recipe.most_genuine` leaves out of the fits: the draw is seeded.

    Raises
    ------
    FamilyError, BundleError: as for `train`.
    """
    kind = family(recipe.family)
    parameters = resolve_parameters(kind, recipe.parameters)
    released, reference = _fit_all(kind, parameters, rows, recipe, feature_set, report)
    golden = golden_rows(rows.values, probabilities(released, rows.values[:_GOLDEN_DRAWN_FROM]), recipe.seed)
    manifest = Manifest(
        created_at=provenance.created_at,
        family=kind.name,
        parameters=parameters,
        seed=recipe.seed,
        feature_set=feature_set.version,
        feature_names=list(feature_set.names),
        onnx_sha256="",
        data=rows.summary(),
        code_commit=provenance.code_commit,
        metrics=judged.metrics,
        thresholds=judged.thresholds,
        golden=Golden.of(golden, probabilities(released, golden)),
        lineage=provenance.lineage,
        reference=in_manifest(reference),
        recipe=judged.recipe,
        gate=judged.gate,
        making=provenance.making,
    )
    bundle = Bundle.build(manifest, kind.to_onnx(released, len(feature_set)), key)
    report(f"checking that {bundle.version} scores as the fitted model does")
    LoadedModel.load(bundle, AllowedSigners.of([key.public_key]))
    return bundle


def _fit_all(
    kind: Family,
    parameters: Mapping[str, Parameter],
    rows: TrainingRows,
    recipe: Recipe,
    feature_set: FeatureSet,
    report: Callable[[str], None],
) -> tuple[Estimator, DriftReference | None]:
    """Return what is released and its drift reference, whose fits need nothing of each other."""
    most = recipe.most_genuine

    def fit() -> Estimator:
        report(f"fitting {kind.name} on all {len(rows):,} rows" + ("" if most is None else ", genuine ones drawn"))
        return _fit(kind, parameters, rows, recipe)

    def refer() -> DriftReference | None:
        return drift_reference(
            kind,
            parameters,
            rows,
            feature_set,
            seed=recipe.seed,
            maturity_ms=recipe.gap_ms,
            report=report,
            most_genuine=most,
        )

    done: list[Any] = side_by_side([fit, refer])
    return done[0], done[1]


def _fit(kind: Family, parameters: Mapping[str, Parameter], rows: TrainingRows, recipe: Recipe) -> Estimator:
    drawn = rows if recipe.most_genuine is None else thinned(rows, recipe.most_genuine, recipe.seed)
    return kind.fit(drawn.values, drawn.is_fraud, drawn.weight, recipe.seed, **parameters)


def split_in_time(rows: TrainingRows, hold_out_share: float, gap_ms: int) -> tuple[TrainingRows, TrainingRows]:
    """Return the rows to fit on, and the latest rows to judge on, `gap_ms` apart."""
    if not 0.0 < hold_out_share < 1.0:
        raise TrainingError(f"hold-out share {hold_out_share} must lie between 0 and 1")
    if not len(rows):
        raise TrainingError(f"no rows to train on in {rows.description}; widen the time range")
    cut = int(np.quantile(rows.event_time, 1.0 - hold_out_share))
    early, late = rows.take(rows.event_time < cut - gap_ms), rows.take(rows.event_time >= cut)
    for part, name in ((early, "before the gap"), (late, "in the hold-out")):
        frauds = int(part.is_fraud.sum())
        if frauds in (0, len(part)):
            raise TrainingError(f"{frauds} of {len(part)} rows {name} are fraud; both kinds are needed: give more days")
    return early, late


def probabilities(estimator: Estimator, values: Values) -> npt.NDArray[np.float32]:
    """Return the probability of fraud."""
    return estimator.predict_proba(values)[:, 1].astype(np.float32)


def judge(scores: npt.NDArray[np.float32], rows: TrainingRows, thresholds: Thresholds, fit: str) -> Figures:
    """Measure scores on rows that the model was not fitted on; an alert is a review or a decline."""
    alerted = scores >= np.float32(thresholds.review)
    values = {
        "auc": auc(rows.is_fraud, scores),
        "average_precision": average_precision(rows.is_fraud, scores),
        "card_precision_at_100": _card_precision(scores, rows),
        "log_loss": _log_loss(scores, rows.is_fraud),
        "alert_rate": float(alerted.mean()),
        "alert_precision": float(rows.is_fraud[alerted].mean()),
        "alert_recall": float(alerted[rows.is_fraud].mean()),
    }
    if thresholds.decline is not None:
        declined = scores >= np.float32(thresholds.decline)
        values["decline_rate"] = float(declined.mean())
        values["decline_precision"] = float(rows.is_fraud[declined].mean())
    return Figures(
        fit=fit,
        from_event_time=int(rows.event_time.min()),
        to_event_time=int(rows.event_time.max()),
        rows=len(rows),
        frauds=int(rows.is_fraud.sum()),
        values=values,
    )


def _card_precision(scores: npt.NDArray[np.float32], rows: TrainingRows) -> float:
    days = rows.event_time // DAY_MS
    chosen = [days == day for day in np.unique(days)]
    found = [card_precision(rows.card[day], rows.is_fraud[day], scores[day], _CARDS_A_DAY).precision for day in chosen]
    return float(np.mean(found))


def _log_loss(scores: npt.NDArray[np.float32], is_fraud: npt.NDArray[np.bool_]) -> float:
    likelihood = np.where(is_fraud, scores.astype(np.float64), 1.0 - scores.astype(np.float64))
    return float(-np.log(np.clip(likelihood, 1e-15, None)).mean())


def golden_rows(values: Values, scores: npt.NDArray[np.float32], seed: int) -> Values:
    """Choose rows from the lowest score to the highest, half of them with unknown features, and one with none known.

    `scores` are those of the first rows of `values`.
    """
    order = np.argsort(scores, kind="stable")
    chosen = values[order[np.linspace(0, len(order) - 1, _GOLDEN_ROWS).astype(np.int64)]].copy()
    random = np.random.default_rng(seed)
    chosen[::2][random.random(chosen[::2].shape) < _GOLDEN_UNKNOWN_SHARE] = np.nan
    chosen[0] = np.nan
    return chosen
