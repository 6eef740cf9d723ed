"""A logistic regression as plain arrays: written to ONNX by its family, read back from it by the explainer."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

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
