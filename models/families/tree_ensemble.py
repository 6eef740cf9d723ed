"""Boosted trees as flat arrays: written to ONNX by the tree families, read back from it by the explainer.

The graph is one `TreeEnsembleRegressor` and a `Sigmoid`. On 248 trees of 31 leaves it scores a row of 60 features in
5.5 us (batches of 500, one thread); the `TreeEnsembleClassifier` that skl2onnx writes needs 8.0 us. The regressor's own
`post_transform="LOGISTIC"` is not used: onnxruntime ignores it for a single target.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from models.errors import FraudstreamError
from models.families.graph import INPUT, OUTPUT, TREE_DOMAIN, scoring_graph

LEAF = -1


class TreeEnsembleError(FraudstreamError):
    """Raised for trees that cannot be scored or explained as they are."""


def float32_at_most(thresholds: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Round float64 thresholds down to float32, so that `x <= t` decides alike for every float32 x.

    Rounding to nearest may move a threshold above a float32 value that lay right of it.

    Examples
    --------
    >>> bool(float(float32_at_most(0.1)) <= 0.1), bool(float(np.float32(0.1)) <= 0.1)
    (True, False)
    """
    exact = np.asarray(thresholds, dtype=np.float64)
    with np.errstate(over="ignore"):
        rounded = exact.astype(np.float32)
    down = np.nextafter(rounded, np.float32(-np.inf), dtype=np.float32)
    return np.where(rounded.astype(np.float64) > exact, down, rounded)


@dataclass(frozen=True, slots=True, eq=False)
class TreeEnsemble:
    """Trees of one model, node after node; a node's children stand behind it in the same tree.

    Parameters
    ----------
    starts
        int64 [trees + 1]: where each tree's nodes begin; the first of them is its root.
    feature
        int32 [nodes]: the feature a node splits on; LEAF for a leaf.
    threshold
        float32 [nodes]: a value goes left when it is at most this.
    missing_left
        bool [nodes]: whether NaN goes left.
    left, right
        int32 [nodes]: the children, counted from the tree's root; LEAF for a leaf.
    value
        float32 [nodes]: what a leaf adds to the log-odds of fraud.
    cover
        float32 [nodes]: how many training rows went through the node.
    base_value
        Log-odds before any tree.
    n_features
        Width of the rows it scores.
    """

    starts: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    missing_left: npt.NDArray[np.bool_]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: npt.NDArray[np.float32]
    cover: npt.NDArray[np.float32]
    base_value: float
    n_features: int

    def __post_init__(self) -> None:
        """Refuse trees whose arrays contradict each other."""
        position = np.arange(len(self.feature)) - np.repeat(self.starts[:-1], np.diff(self.starts))
        size = np.repeat(np.diff(self.starts), np.diff(self.starts))
        split = self.feature != LEAF
        children = np.stack([self.left, self.right])[:, split]
        if ((children <= position[split]) | (children >= size[split])).any():
            raise TreeEnsembleError(
                "a tree's child does not stand behind its parent; write the model again with its family"
            )
        if (self.feature[split] < 0).any() or (self.feature >= self.n_features).any():
            raise TreeEnsembleError(f"a tree splits on a feature outside the {self.n_features} that it is given")
        if not (self.cover > 0).all():
            raise TreeEnsembleError("a tree node has no training rows (nodes_hitrates); contributions need them")

    @property
    def trees(self) -> int:
        """How many trees there are."""
        return len(self.starts) - 1

    def to_onnx(self) -> onnx.ModelProto:
        """Write the graph that scores these trees."""
        sizes = np.diff(self.starts)
        tree_ids = np.repeat(np.arange(self.trees), sizes)
        node_ids = np.arange(len(self.feature)) - np.repeat(self.starts[:-1], sizes)
        leaf = self.feature == LEAF
        node = helper.make_node(
            "TreeEnsembleRegressor",
            [INPUT],
            ["log_odds"],
            domain=TREE_DOMAIN,
            n_targets=1,
            aggregate_function="SUM",
            base_values=[self.base_value],
            nodes_treeids=tree_ids.tolist(),
            nodes_nodeids=node_ids.tolist(),
            nodes_featureids=np.where(leaf, 0, self.feature).tolist(),
            nodes_values=self.threshold.tolist(),
            nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
            nodes_truenodeids=np.where(leaf, 0, self.left).tolist(),
            nodes_falsenodeids=np.where(leaf, 0, self.right).tolist(),
            nodes_missing_value_tracks_true=self.missing_left.astype(np.int64).tolist(),
            nodes_hitrates=self.cover.tolist(),
            target_treeids=tree_ids[leaf].tolist(),
            target_nodeids=node_ids[leaf].tolist(),
            target_ids=np.zeros(int(leaf.sum()), dtype=np.int64).tolist(),
            target_weights=self.value[leaf].tolist(),
        )
        return scoring_graph(
            "tree_ensemble", [node, helper.make_node("Sigmoid", ["log_odds"], [OUTPUT])], self.n_features
        )

    @classmethod
    def from_onnx(cls, model: onnx.ModelProto) -> "TreeEnsemble | None":
        """Read the trees of a graph written by `to_onnx`; None when it holds none."""
        node = next((each for each in model.graph.node if each.op_type == "TreeEnsembleRegressor"), None)
        if node is None:
            return None
        read = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        leaf = np.array(read["nodes_modes"]) == b"LEAF"
        value = np.zeros(len(leaf), dtype=np.float32)
        value[leaf] = read["target_weights"]
        return cls(
            starts=np.append(np.flatnonzero(np.array(read["nodes_nodeids"]) == 0), len(leaf)).astype(np.int64),
            feature=np.where(leaf, LEAF, read["nodes_featureids"]).astype(np.int32),
            threshold=np.array(read["nodes_values"], dtype=np.float32),
            missing_left=np.array(read["nodes_missing_value_tracks_true"], dtype=np.bool_),
            left=np.where(leaf, LEAF, read["nodes_truenodeids"]).astype(np.int32),
            right=np.where(leaf, LEAF, read["nodes_falsenodeids"]).astype(np.int32),
            value=value,
            cover=np.array(read["nodes_hitrates"], dtype=np.float32),
            base_value=float(read["base_values"][0]),
            n_features=model.graph.input[0].type.tensor_type.shape.dim[1].dim_value,
        )


def join_trees(trees: Iterable[dict[str, npt.NDArray[Any]]], base_value: float, n_features: int) -> TreeEnsemble:
    """Lay trees, each given as arrays named as in TreeEnsemble, one behind the other."""
    listed = list(trees)
    types = {"feature": np.int32, "threshold": np.float32, "missing_left": np.bool_, "left": np.int32}
    types |= {"right": np.int32, "value": np.float32, "cover": np.float32}
    joined: dict[str, Any] = {
        name: np.concatenate([tree[name] for tree in listed]).astype(dtype) for name, dtype in types.items()
    }
    starts = np.cumsum([0, *(len(tree["feature"]) for tree in listed)], dtype=np.int64)
    return TreeEnsemble(starts=starts, base_value=base_value, n_features=n_features, **joined)
