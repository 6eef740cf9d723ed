"""A verified model in memory: it scores rows, decides, and says why."""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx

from models.bundle import Bundle, BundleError
from models.errors import FraudstreamError
from models.explain.explainer import Explainer, explainer_of
from models.explain.largest import largest
from models.families.session import Evaluator, evaluator_of
from models.features.feature_set import FEATURE_SETS, FeatureSet
from models.manifest import Manifest
from models.signing import AllowedSigners

APPROVE: Final = 0
REVIEW: Final = 1
DECLINE: Final = 2
DECISIONS: Final = ("approve", "review", "decline")
"""Decisions by their code."""

GOLDEN_TOLERANCE: Final = 1e-5
"""Largest difference from a golden score; other processors and runtimes were seen to differ by less than 1e-6."""

_WARM_UP_ROWS: Final = (1, 2, 20, 100, 500, 2000)


class ScoringError(FraudstreamError):
    """Raised for rows that do not fit the model, and for a score that is no number."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A model ready to score on one thread; made by `load`, and safe to use from several threads."""

    manifest: Manifest
    feature_set: FeatureSet
    _evaluator: Evaluator = field(repr=False)
    _explainer: Explainer = field(repr=False)

    @classmethod
    def load(cls, bundle: Bundle, allowed: AllowedSigners) -> "LoadedModel":
        """Verify, parse, warm up and check the golden vectors; a bundle that fails raises BundleError."""
        manifest = bundle.verify(allowed)
        features = _fitting_feature_set(manifest)
        try:
            graph = onnx.load_model_from_string(bundle.onnx)
            evaluator = evaluator_of(bundle.onnx, graph)
        except Exception as error:  # protobuf and onnxruntime raise types of their own, without a common root
            raise BundleError(
                f"graph of {manifest.version} cannot be loaded ({error}); train the model again"
            ) from error
        model = cls(manifest, features, evaluator, explainer_of(graph))
        model._warm_up()
        model.check_golden()
        return model

    @property
    def version(self) -> str:
        """The version of the model."""
        return self.manifest.version

    def score(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the probability of fraud [N] for rows of features [N, F]; raises ScoringError if one is no number."""
        width = len(self.feature_set)
        if values.shape[1:] != (width,) or values.dtype != np.float32:
            raise ScoringError(
                f"{self.version} scores float32 rows of {width} features, not {values.dtype} {values.shape}"
            )
        scores = self._evaluator.score(values)
        # The sum is NaN if any score is: one number to look at instead of an array.
        if not math.isfinite(scores.sum()):
            row = int(np.flatnonzero(~np.isfinite(scores))[0])
            raise ScoringError(f"{self.version} scores row {row} as {scores[row]}; look at its features")
        return scores

    def decide(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """Return APPROVE, REVIEW or DECLINE for each score, by the manifest's thresholds."""
        thresholds = self.manifest.thresholds
        codes = (scores >= np.float32(thresholds.review)).astype(np.uint8)
        if thresholds.decline is not None:
            codes[scores >= np.float32(thresholds.decline)] = DECLINE
        return codes

    @property
    def base_value(self) -> float:
        """Log-odds of fraud before any feature is known."""
        return self._explainer.base_value

    def contributions(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return what each feature adds to the log-odds [N, F]; with `base_value` they sum up to the score's."""
        return self._explainer.contributions(values)

    def explain(self, values: npt.NDArray[np.float32], top: int = 4) -> list[list[tuple[int, float]]]:
        """Return per row the `top` features that raise the score most, as (column, contribution), the largest first."""
        columns, added = largest(self._explainer.contributions(values), top)
        return [
            [(column, size) for column, size in zip(*row, strict=True) if size > 0.0]
            for row in zip(columns.tolist(), added.tolist(), strict=True)
        ]

    def check_golden(self) -> float:
        """Score the golden rows again and return the largest difference; raises BundleError beyond the tolerance."""
        rows = self.manifest.golden.values(len(self.feature_set))
        if not len(rows):
            raise BundleError(f"{self.version} has no golden vectors; train the model again")
        difference = float(np.abs(self.score(rows) - np.array(self.manifest.golden.scores, dtype=np.float32)).max())
        if not difference <= GOLDEN_TOLERANCE:
            raise BundleError(
                f"{self.version} differs from its golden scores by {difference:.2g}, allowed are {GOLDEN_TOLERANCE:g}:"
                " this runtime does not score as the one that trained it"
            )
        return difference

    def _warm_up(self) -> None:
        """Score and explain once in each batch size, so that the first batch after a swap is not a slow one."""
        row = self.manifest.golden.values(len(self.feature_set))[:1]
        for rows in _WARM_UP_ROWS if len(row) else ():
            self.score(np.repeat(row, rows, axis=0))
        self.explain(row)


def _fitting_feature_set(manifest: Manifest) -> FeatureSet:
    features = FEATURE_SETS.get(manifest.feature_set)
    if features is None:
        known = ", ".join(FEATURE_SETS)
        raise BundleError(
            f"{manifest.version} needs feature set {manifest.feature_set}; this release has {known}: retrain it"
        )
    if list(features.names) != manifest.feature_names:
        raise BundleError(f"{manifest.version} names other features than {features.version} has; train the model again")
    return features
