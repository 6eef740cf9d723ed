"""What every family of models offers: a fit that repeats by seed, and an ONNX graph that gives the same scores."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx

from models.errors import FraudstreamError

Values = npt.NDArray[np.float32]
Parameter = float | int | str | bool | None

_TABLE = 2


class FamilyError(FraudstreamError):
    """Raised for an unknown family, a parameter it does not take, or rows that it cannot be fitted on."""


class Estimator(Protocol):
    """A fitted model, as scikit-learn knows it."""

    def predict_proba(self, values: Values, /) -> npt.NDArray[np.floating[Any]]:
        """Return one row per transaction: the probability of genuine, and of fraud."""
        ...


class Family(Protocol):
    """One kind of model.

    `fit` twice with the same rows, parameters and seed gives the same model. The graph of `to_onnx` takes one float32
    tensor `features` [N, F], where NaN means unknown, and returns one float32 tensor `score` [N, 1]: the probability of
    fraud, within 1e-5 of the estimator's, for every float32 value, also one that lies on a split.
    """

    @property
    def name(self) -> str:
        """The name under which `catalogue.family` finds it and the manifest records it."""
        ...

    @property
    def defaults(self) -> Mapping[str, Parameter]:
        """Every parameter that `fit` takes, with its default."""
        ...

    def fit(
        self,
        values: Values,
        is_fraud: npt.NDArray[np.bool_],
        sample_weight: npt.NDArray[np.float64] | None,
        seed: int,
        **parameters: Parameter,
    ) -> Estimator:
        """Fit on rows of features; `sample_weight` None weighs all rows alike."""
        ...

    def to_onnx(self, estimator: Estimator, n_features: int) -> onnx.ModelProto:
        """Return the graph that scores as `estimator` does."""
        ...


def resolve_parameters(family: Family, given: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Lay the given parameters over the family's defaults; an unknown name raises FamilyError."""
    unknown = sorted(set(given) - set(family.defaults))
    if unknown:
        raise FamilyError(f"{family.name} takes no parameter {unknown[0]!r}; it takes {', '.join(family.defaults)}")
    return {**family.defaults, **given}


def check_rows(values: Values, is_fraud: npt.NDArray[np.bool_], sample_weight: npt.NDArray[np.float64] | None) -> None:
    """Refuse rows that no family can be fitted on."""
    rows = values.shape[0]
    if len(values.shape) != _TABLE or values.dtype != np.float32:
        raise FamilyError(f"features must be a float32 table, not {values.dtype} of {values.ndim} dimensions")
    if len(is_fraud) != rows or (sample_weight is not None and len(sample_weight) != rows):
        raise FamilyError(f"{rows} rows of features need as many labels and weights, not {len(is_fraud)} labels")
    frauds = int(np.count_nonzero(is_fraud))
    if frauds in (0, rows):
        raise FamilyError(f"{frauds} of {rows} training rows are fraud; both kinds are needed: widen the time range")
    if np.isinf(values).any():
        raise FamilyError("features hold an infinite value; cap it or use NaN for unknown")
