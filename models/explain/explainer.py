"""What an explainer offers, and which one fits a graph."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnx

from models.errors import FraudstreamError
from models.explain.linear import LinearExplainer
from models.explain.tree_shap import TreeExplainer
from models.families.linear_model import LinearModel
from models.families.tree_ensemble import TreeEnsemble


class ExplainError(FraudstreamError):
    """Raised for a graph that no explainer understands."""


class Explainer(Protocol):
    """Splits the log-odds of a score into a base value and one contribution per feature, which add up to it."""

    @property
    def base_value(self) -> float:
        """Log-odds of a row of which nothing is known."""
        ...

    def contributions(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return Shapley values [N, F] for rows of features [N, F]."""
        ...


def explainer_of(model: onnx.ModelProto) -> Explainer:
    """Return the explainer for a graph written by one of the families."""
    trees = TreeEnsemble.from_onnx(model)
    if trees is not None:
        return TreeExplainer(trees)
    linear = LinearModel.from_onnx(model)
    if linear is not None:
        return LinearExplainer(linear)
    raise ExplainError(f"graph {model.graph.name!r} comes from no known family; train it with fraudstream models train")
