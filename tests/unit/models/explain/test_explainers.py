"""Contributions against reference implementations."""

from itertools import pairwise

import numpy as np
import onnx
import pytest
import shap

from models.explain.explainer import ExplainError, explainer_of
from models.explain.tree_shap import TreeExplainer
from models.families.catalogue import FAMILIES, family
from models.families.session import open_session
from models.families.tree_ensemble import LEAF, TreeEnsemble, join_trees
from tests.unit.models.small_model import QUICK

DEEP = {"hist_gradient_boosting": {"max_leaf_nodes": 60}, "lightgbm": {"num_leaves": 60}, "logistic_regression": {}}


def fitted(name, rows, **changes):
    kind = family(name)
    estimator = kind.fit(rows[0], rows[1], None, 5, **{**QUICK[name], **changes})
    return estimator, kind.to_onnx(estimator, rows[0].shape[1])


def test_boosted_trees_are_explained_as_shap_does(rows):
    estimator, graph = fitted("hist_gradient_boosting", rows, **DEEP["hist_gradient_boosting"])
    reference = shap.TreeExplainer(estimator)
    explainer = explainer_of(graph)
    assert np.abs(explainer.contributions(rows[0][:100]) - reference.shap_values(rows[0][:100])).max() < 1e-5
    assert explainer.base_value == pytest.approx(float(np.ravel(reference.expected_value)[0]), abs=1e-5)


def test_lightgbm_is_explained_as_it_explains_itself(rows):
    estimator, graph = fitted("lightgbm", rows, **DEEP["lightgbm"])
    reference = estimator.booster.predict(rows[0][:100], pred_contrib=True)
    explainer = explainer_of(graph)
    assert np.abs(explainer.contributions(rows[0][:100]) - reference[:, :-1]).max() < 1e-5
    assert explainer.base_value == pytest.approx(reference[0, -1], abs=1e-5)


def test_logistic_regression_is_explained_as_shap_does(rows):
    estimator, graph = fitted("logistic_regression", rows)
    prepared = estimator[:-1].transform(rows[0])
    reference = shap.LinearExplainer(estimator[-1], np.zeros((1, prepared.shape[1])))
    explainer = explainer_of(graph)
    assert np.abs(explainer.contributions(rows[0][:100]) - reference.shap_values(prepared[:100])).max() < 1e-5


@pytest.mark.parametrize("features", [24, 40])
def test_a_chain_of_splits_with_many_features_is_explained_exactly(features):
    random = np.random.default_rng(0)
    values = (random.random((3000, features)) < 0.9).astype(np.float32)
    rows = values, values.all(axis=1) ^ (random.random(3000) < 0.02)
    estimator, graph = fitted("lightgbm", rows, num_leaves=60, num_iterations=3, min_data_in_leaf=1)
    asked = max(len(path) for path in paths(TreeEnsemble.from_onnx(graph)))
    assert asked > features / 2, "more than a register of points is needed for"
    reference = estimator.booster.predict(values[:50], pred_contrib=True)[:, :-1]
    assert np.abs(explainer_of(graph).contributions(values[:50]) - reference).max() < 1e-5


def paths(trees):
    """The features that each leaf's path asks."""
    asked = {}
    for start, end in pairwise(trees.starts):
        asked[start] = frozenset[int]()
        for node in range(start, end):
            if trees.feature[node] == LEAF:
                yield asked[node]
            else:
                asked[start + trees.left[node]] = asked[start + trees.right[node]] = asked[node] | {trees.feature[node]}


def test_a_tree_that_asks_nothing_only_moves_the_base_value():
    tree = {"feature": [LEAF], "threshold": [0], "missing_left": [False], "left": [LEAF], "right": [LEAF]}
    only_a_leaf = {name: np.array(each) for name, each in (tree | {"value": [0.25], "cover": [10]}).items()}
    explainer = TreeExplainer(join_trees([only_a_leaf], base_value=1.0, n_features=3))
    assert explainer.base_value == 1.25
    assert not explainer.contributions(np.zeros((2, 3), np.float32)).any()


@pytest.mark.parametrize("name", FAMILIES)
def test_contributions_and_base_value_add_up_to_the_log_odds(name, rows):
    _, graph = fitted(name, rows, **DEEP[name])
    session = open_session(graph.SerializeToString())
    scores = session.run(None, {"features": rows[0][:500]})[0][:, 0].astype(np.float64)
    explainer = explainer_of(graph)
    log_odds = explainer.contributions(rows[0][:500]).sum(axis=1) + explainer.base_value
    assert np.abs(log_odds - np.log(scores / (1 - scores)))[(scores > 1e-4) & (scores < 1 - 1e-4)].max() < 1e-3
    assert np.abs(1 / (1 + np.exp(-log_odds)) - scores).max() < 1e-5


@pytest.mark.parametrize("name", FAMILIES)
def test_a_row_alone_is_explained_as_in_a_batch(name, rows):
    explainer = explainer_of(fitted(name, rows)[1])
    together = explainer.contributions(rows[0][:20])
    alone = np.concatenate([explainer.contributions(row[None]) for row in rows[0][:20]])
    assert np.array_equal(together, alone)


def test_a_foreign_graph_is_refused():
    with pytest.raises(ExplainError, match="comes from no known family"):
        explainer_of(onnx.ModelProto())
