"""Logistic regression on imputed and scaled features: the plain model that the others have to beat."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import onnx
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from models.families.base import Estimator, FamilyError, Parameter, Values, check_rows, resolve_parameters
from models.families.linear_model import LinearModel


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
