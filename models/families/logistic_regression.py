"""Logistic regression on imputed and scaled features: the plain model that the others have to beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from models.families.base import Estimator, FamilyError, Parameter, Values, check_rows, resolve_parameters
from models.families.graph import INPUT, OUTPUT, scoring_graph


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """A logistic regression with its preparation: log-odds = intercept + sum of coefficient * (x - mean) / scale.

    `impute` takes the place of NaN; all arrays are float64 [F].
    """

    impute: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    coefficient: npt.NDArray[np.float64]
    intercept: float

    def to_onnx(self) -> onnx.ModelProto:
        """Write the graph; it counts in float64, as a sum of large terms that cancel would lose digits in float32."""
        constants = {
            "impute": self.impute,
            "mean": self.mean,
            "scale": self.scale,
            "coefficient": self.coefficient[:, None],
            "intercept": np.array([self.intercept]),
        }
        steps = [
            helper.make_node("Cast", [INPUT], ["exact"], to=TensorProto.DOUBLE),
            helper.make_node("IsNaN", ["exact"], ["unknown"]),
            helper.make_node("Where", ["unknown", "impute", "exact"], ["known"]),
            helper.make_node("Sub", ["known", "mean"], ["centred"]),
            helper.make_node("Div", ["centred", "scale"], ["scaled"]),
            helper.make_node("MatMul", ["scaled", "coefficient"], ["weighted"]),
            helper.make_node("Add", ["weighted", "intercept"], ["log_odds"]),
            helper.make_node("Sigmoid", ["log_odds"], ["probability"]),
            helper.make_node("Cast", ["probability"], [OUTPUT], to=TensorProto.FLOAT),
        ]
        stored = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
        return scoring_graph("logistic_regression", steps, len(self.coefficient), stored)

    @classmethod
    def from_onnx(cls, model: onnx.ModelProto) -> "LinearModel | None":
        """Read back what `to_onnx` wrote; None when the graph is of another kind."""
        if model.graph.name != "logistic_regression":
            return None
        stored = {each.name: np.asarray(numpy_helper.to_array(each)).ravel() for each in model.graph.initializer}
        intercept = float(stored.pop("intercept")[0])
        return cls(intercept=intercept, **stored)


class LogisticRegressionFamily:
    """A median imputer, a standard scaler and a logistic regression in one pipeline."""

    name: ClassVar[str] = "logistic_regression"
    defaults: ClassVar[Mapping[str, Parameter]] = {"C": 1.0, "max_iter": 1000, "tol": 1e-4}

    def fit(
        self,
        values: Values,
        is_fraud: npt.NDArray[np.bool_],
        sample_weight: npt.NDArray[np.float64] | None,
        seed: int,
        **parameters: Parameter,
    ) -> Estimator:
        """Fit as Family.fit says."""
        chosen: dict[str, Any] = resolve_parameters(self, parameters)
        check_rows(values, is_fraud, sample_weight)
        pipeline = Pipeline(
            [
                # A feature that is NaN in every row would be dropped without `keep_empty_features`.
                ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
                ("scale", StandardScaler()),
                ("regress", LogisticRegression(random_state=seed, **chosen)),
            ]
        )
        weights = {"scale__sample_weight": sample_weight, "regress__sample_weight": sample_weight}
        try:
            return pipeline.fit(values, is_fraud, **weights)  # type: ignore[no-any-return]
        except ValueError as error:
            raise FamilyError(f"{self.name}: {error}") from error

    def to_onnx(self, estimator: Estimator, n_features: int) -> onnx.ModelProto:
        """Convert as Family.to_onnx says."""
        if not isinstance(estimator, Pipeline):
            raise FamilyError(f"{self.name} cannot convert a {type(estimator).__name__}")
        imputer, scaler, regression = (step for _, step in estimator.steps)
        if len(scaler.mean_) != n_features:
            raise FamilyError(f"{self.name} was fitted on {len(scaler.mean_)} features, not {n_features}")
        return LinearModel(
            impute=imputer.statistics_.astype(np.float64),
            mean=scaler.mean_.astype(np.float64),
            scale=scaler.scale_.astype(np.float64),
            coefficient=regression.coef_.ravel().astype(np.float64),
            intercept=float(regression.intercept_[0]),
        ).to_onnx()
