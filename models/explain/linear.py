"""Shapley values of a logistic regression: coefficient times the distance from the training mean."""

import numpy as np
import numpy.typing as npt

from models.families.linear_model import LinearModel


class LinearExplainer:
    """Exact for independent features: with the mean as background a linear model needs no sampling.

    References
    ----------
    Strumbelj and Kononenko, "Explaining prediction models and individual predictions with feature contributions", 2014.
    """

    def __init__(self, model: LinearModel) -> None:
        """Keep the model; the scaled mean is zero, so the intercept is the base value."""
        self._model = model
        self.base_value = model.intercept

    def contributions(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return Shapley values [N, F] for rows of features [N, F]."""
        model = self._model
        known = np.where(np.isnan(values), model.impute, values.astype(np.float64))
        return np.asarray((known - model.mean) / model.scale * model.coefficient)
