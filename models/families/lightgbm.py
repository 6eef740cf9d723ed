"""LightGBM's gradient boosting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import lightgbm
import numpy as np
import numpy.typing as npt
import onnx

from models.families.base import Estimator, FamilyError, Parameter, Values, check_rows, resolve_parameters
from models.families.tree_ensemble import LEAF, TreeEnsemble, float32_at_most, join_trees

_FIXED: Mapping[str, Any] = {
    "objective": "binary",
    "verbosity": -1,
    # Together these make a fit repeat bit by bit on one machine.
    "deterministic": True,
    "force_col_wise": True,
}
_AS_OPENMP_SAYS = 0
"""As many threads as the calling thread may start, as for the fits of scikit-learn."""


@dataclass(frozen=True, slots=True)
class FittedBooster:
    """A fitted booster, as an Estimator."""

    booster: lightgbm.Booster

    def predict_proba(self, values: Values, /) -> npt.NDArray[np.float64]:
        """Return the probability of genuine, and of fraud."""
        fraud = np.asarray(self.booster.predict(values), dtype=np.float64)
        return np.stack([1.0 - fraud, fraud], axis=1)


class LightGBM:
    """Boosted trees grown leaf by leaf."""

    name: ClassVar[str] = "lightgbm"
    defaults: ClassVar[Mapping[str, Parameter]] = {
        "num_iterations": 250,
        "learning_rate": 0.05,
        "num_leaves": 31,
        "max_depth": -1,
        "min_data_in_leaf": 50,
        "lambda_l2": 1.0,
        "feature_fraction": 1.0,
        "bagging_fraction": 1.0,
        "bagging_freq": 0,
        "max_bin": 255,
    }

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
        rounds = chosen.pop("num_iterations")
        settings = {**_FIXED, **chosen, "seed": seed, "num_threads": _AS_OPENMP_SAYS}
        rows = lightgbm.Dataset(values, label=is_fraud.astype(np.float32), weight=sample_weight)
        try:
            return FittedBooster(lightgbm.train(settings, rows, num_boost_round=rounds))
        except (lightgbm.basic.LightGBMError, TypeError) as error:
            raise FamilyError(f"{self.name}: {error}") from error

    def to_onnx(self, estimator: Estimator, n_features: int) -> onnx.ModelProto:
        """Convert as Family.to_onnx says."""
        return tree_ensemble(estimator, n_features).to_onnx()


def tree_ensemble(estimator: Estimator, n_features: int) -> TreeEnsemble:
    """Read the trees of a fitted booster."""
    if not isinstance(estimator, FittedBooster):
        raise FamilyError(f"lightgbm cannot convert a {type(estimator).__name__}")
    dumped = estimator.booster.dump_model()["tree_info"]
    return join_trees([_tree(each["tree_structure"]) for each in dumped], 0.0, n_features)


def _tree(root: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Lay a nested tree flat, parents before children."""
    rows: list[list[Any]] = []
    waiting: list[tuple[dict[str, Any], int, int]] = [(root, -1, 0)]
    while waiting:
        node, parent, side = waiting.pop()
        position = len(rows)
        if parent >= 0:
            rows[parent][side] = position
        if "split_feature" not in node:
            rows.append([LEAF, 0.0, False, LEAF, LEAF, node["leaf_value"], node.get("leaf_count", 1)])
            continue
        rows.append(
            [node["split_feature"], node["threshold"], _missing_left(node), LEAF, LEAF, 0.0, node["internal_count"]]
        )
        waiting += [(node["right_child"], position, 4), (node["left_child"], position, 3)]
    feature, threshold, missing_left, left, right, value, cover = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    return {
        "feature": feature,
        "threshold": float32_at_most(threshold),
        "missing_left": missing_left,
        "left": left,
        "right": right,
        "value": value,
        "cover": cover,
    }


def _missing_left(node: dict[str, Any]) -> bool:
    """Tell where NaN goes: by the node's default, or as zero where training met no NaN."""
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    return bool(node["threshold"] >= 0.0)
