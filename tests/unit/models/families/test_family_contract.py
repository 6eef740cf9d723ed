"""What every family of models must keep to."""

from typing import Any

import numpy as np
import pytest

from models.families.base import Estimator, Family, FamilyError
from models.families.catalogue import FAMILIES, family
from models.families.graph import INPUT, OUTPUT
from models.families.session import evaluator_of, open_session
from models.families.tree_ensemble import LEAF, TreeEnsemble
from tests.unit.models.small_model import QUICK

TOLERANCE = 1e-5


@pytest.fixture(scope="module", params=FAMILIES)
def kind(request: pytest.FixtureRequest) -> Family:
    return family(request.param)


@pytest.fixture(scope="module")
def estimator(kind: Family, rows: Any) -> Estimator:
    return kind.fit(rows[0], rows[1], None, 7, **QUICK[kind.name])


@pytest.fixture(scope="module")
def session(kind, estimator, rows) -> Any:
    graph = kind.to_onnx(estimator, rows[0].shape[1])
    return open_session(graph.SerializeToString())


@pytest.fixture(scope="module", params=["onnxruntime", "evaluator"])
def scored(request: pytest.FixtureRequest, kind, estimator, session, rows) -> Any:
    """Scores rows with the graph in onnxruntime, and with what workers score it with."""
    if request.param == "onnxruntime":
        return lambda values: session.run(None, {INPUT: values})[0][:, 0]
    graph = kind.to_onnx(estimator, rows[0].shape[1])
    return evaluator_of(graph.SerializeToString(), graph).score


def splits(graph):
    """Features and thresholds at which a graph decides; for one that never does, zeros."""
    trees = TreeEnsemble.from_onnx(graph)
    if trees is None:
        return np.arange(3), np.zeros(3, np.float32)
    split = (trees.feature != LEAF) & np.isfinite(trees.threshold)
    return trees.feature[split], trees.threshold[split]


def test_graph_takes_features_and_gives_only_the_score(session, rows):
    (given,), (answer,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape[1]) == (INPUT, "tensor(float)", rows[0].shape[1])
    assert (answer.name, answer.type, answer.shape[1]) == (OUTPUT, "tensor(float)", 1)


def test_scores_separate_frauds_from_the_rest(scored, rows):
    scores = scored(rows[0])
    assert scores[rows[1]].mean() > scores[~rows[1]].mean() + 0.3


def test_graph_scores_as_the_estimator_does(scored, estimator, rows):
    expected = estimator.predict_proba(rows[0])[:, 1]
    assert np.abs(scored(rows[0]) - expected).max() < TOLERANCE


def test_graph_scores_unknown_values_as_the_estimator_does(scored, estimator, rows):
    values = np.full_like(rows[0][:50], np.nan)
    values[np.arange(50), np.arange(50) % values.shape[1]] = 1.0
    expected = estimator.predict_proba(values)[:, 1]
    assert np.abs(scored(values) - expected).max() < TOLERANCE


def test_graph_scores_values_on_and_beside_every_split_as_the_estimator_does(kind, scored, estimator, rows):
    feature, threshold = splits(kind.to_onnx(estimator, rows[0].shape[1]))
    near = [np.nextafter(threshold, np.float32(-np.inf)), threshold, np.nextafter(threshold, np.float32(np.inf))]
    values = np.tile(rows[0][np.arange(len(threshold)) % len(rows[0])], (3, 1))
    values[np.arange(len(values)), np.tile(feature, 3)] = np.concatenate(near)
    expected = estimator.predict_proba(values)[:, 1]
    assert np.abs(scored(values) - expected).max() < TOLERANCE


def test_graph_scores_huge_values_as_the_estimator_does(scored, estimator, rows):
    values = rows[0][:40].copy()
    values[::2, 1], values[1::2, 2] = 1e12, -3e38
    values[:, 3] = np.float32(1e-42)
    expected = estimator.predict_proba(values)[:, 1]
    assert np.abs(scored(values) - expected).max() < TOLERANCE


@pytest.mark.parametrize("size", [1, 7, 50, 51, 500])
def test_a_row_scores_the_same_to_the_last_bit_in_batches_of_any_size(scored, rows, size):
    values = rows[0][:1000]
    parts = [scored(values[start : start + size]) for start in range(0, 1000, size)]
    assert np.array_equal(np.concatenate(parts), scored(values))


def test_the_same_seed_gives_the_same_graph(kind, estimator, rows):
    again = kind.fit(*rows, None, 7, **QUICK[kind.name])
    width = rows[0].shape[1]
    assert kind.to_onnx(again, width).SerializeToString() == kind.to_onnx(estimator, width).SerializeToString()


def test_rows_of_weight_zero_are_as_good_as_absent(kind, rows):
    values, is_fraud = rows[0][:1500].copy(), rows[1][:1500].copy()
    weight = np.ones(1500)
    weight[1000:] = 0.0
    flipped = is_fraud.copy()
    flipped[1000:] = ~flipped[1000:]
    fitted = [kind.fit(values, labels, weight, 1, **QUICK[kind.name]) for labels in (is_fraud, flipped)]
    first, second = (each.predict_proba(values)[:, 1] for each in fitted)
    assert np.abs(first - second).max() < 1e-6


def test_weights_move_the_scores(kind, estimator, rows):
    heavy = kind.fit(*rows, np.where(rows[1], 20.0, 1.0), 7, **QUICK[kind.name])
    assert heavy.predict_proba(rows[0])[:, 1].mean() > estimator.predict_proba(rows[0])[:, 1].mean() + 0.02


def test_an_unknown_parameter_is_refused_by_name(kind, rows):
    with pytest.raises(FamilyError, match=r"takes no parameter 'depht'; it takes \w+"):
        kind.fit(*rows, None, 1, depht=3)


def test_an_impossible_parameter_is_refused(kind, rows):
    name = next(iter(kind.defaults))
    with pytest.raises(FamilyError, match=kind.name):
        kind.fit(*rows, None, 1, **{name: "many"})


def test_rows_without_fraud_are_refused(kind, rows):
    with pytest.raises(FamilyError, match="0 of 4000 training rows are fraud"):
        kind.fit(rows[0], np.zeros(4000, bool), None, 1)


def test_infinite_features_are_refused(kind, rows):
    values = rows[0].copy()
    values[5, 5] = np.inf
    with pytest.raises(FamilyError, match="infinite"):
        kind.fit(values, rows[1], None, 1)


def test_another_familys_estimator_is_refused(kind):
    with pytest.raises(FamilyError, match="cannot convert a object"):
        kind.to_onnx(object(), 3)


def test_an_unknown_family_is_refused_naming_those_there_are():
    with pytest.raises(FamilyError, match="no model family 'xgboost'; there are hist_gradient_boosting"):
        family("xgboost")
