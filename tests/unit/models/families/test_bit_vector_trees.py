"""Scoring by bit vectors: it takes only graphs that it scores as onnxruntime does."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from models.families.bit_vector_trees import BitVectorTrees
from models.families.graph import INPUT, OUTPUT
from models.families.session import evaluator_of, open_session
from models.families.tree_ensemble import LEAF, join_trees
from stream_app.chaos.tiny_models import _broken

FEATURES = 4


def random_graph(seed: int, trees: int, most_leaves: int) -> onnx.ModelProto:
    """Trees of every shape over few distinct thresholds."""
    draw = np.random.default_rng(seed)
    grown = []
    for _ in range(trees):
        left, right = [LEAF], [LEAF]
        for _ in range(draw.integers(0, most_leaves)):
            leaf = draw.choice([at for at, child in enumerate(left) if child == LEAF])
            left[leaf], right[leaf] = len(left), len(left) + 1
            left += [LEAF, LEAF]
            right += [LEAF, LEAF]
        nodes, split = len(left), np.array(left) != LEAF
        grown.append(
            {
                "feature": np.where(split, draw.integers(0, FEATURES, nodes), LEAF),
                "threshold": np.where(split, draw.choice([-1.0, 0.0, 0.5, 1.0, 3.0], nodes), 0.0),
                "missing_left": split & (draw.random(nodes) < 0.5),
                "left": np.array(left),
                "right": np.array(right),
                "value": np.where(split, 0.0, draw.normal(0, 1, nodes)),
                "cover": np.ones(nodes),
            }
        )
    return join_trees(grown, -1.0, FEATURES).to_onnx()


def random_rows(seed: int) -> np.ndarray:
    special = np.array([-np.inf, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, np.inf, np.nan], np.float32)
    return np.random.default_rng(seed).choice(special, (200, FEATURES))


@given(st.integers(0, 2**32), st.integers(1, 40), st.sampled_from([0, 1, 7, 31]))
def test_any_trees_score_as_in_onnxruntime(seed: int, trees: int, splits: int) -> None:
    graph, rows = random_graph(seed, trees, splits + 1), random_rows(seed)
    scorer = BitVectorTrees.of(graph)
    assert scorer is not None
    expected = open_session(graph.SerializeToString()).run([OUTPUT], {INPUT: rows})[0].reshape(-1)
    assert np.abs(scorer.score(rows) - expected).max() < 2e-6


def test_a_row_alone_scores_as_in_a_batch_bit_by_bit() -> None:
    scorer, rows = BitVectorTrees.of(random_graph(1, 50, 31)), random_rows(1)
    assert scorer is not None
    alone = np.concatenate([scorer.score(rows[at : at + 1]) for at in range(len(rows))])
    assert alone.tobytes() == scorer.score(rows).tobytes()


def rewritten(**changes: object) -> onnx.ModelProto:
    """A graph whose regressor says something else."""
    graph = random_graph(2, 3, 4)
    regressor = graph.graph.node[0]
    kept = [each for each in regressor.attribute if each.name not in changes]
    del regressor.attribute[:]
    regressor.attribute.extend(kept)
    regressor.attribute.extend(helper.make_attribute(name, value) for name, value in changes.items())
    return graph


def modes() -> list[bytes]:
    regressor = random_graph(2, 3, 4).graph.node[0]
    return next(list(each.strings) for each in regressor.attribute if each.name == "nodes_modes")


def another_output() -> onnx.ModelProto:
    graph = random_graph(2, 3, 4)
    graph.graph.node[1].op_type = "Neg"
    return graph


@pytest.mark.parametrize(
    "graph",
    [
        lambda: _broken(random_graph(2, 3, 4)),
        another_output,
        lambda: rewritten(aggregate_function="MAX"),
        lambda: rewritten(post_transform="PROBIT"),
        lambda: rewritten(nodes_modes=["LEAF" if mode == b"LEAF" else "BRANCH_LT" for mode in modes()]),
        lambda: random_graph(3, 5, 200),
    ],
    ids=["more nodes", "no sigmoid", "another sum", "another output", "another comparison", "too many leaves"],
)
def test_a_graph_that_is_more_or_else_is_left_to_onnxruntime(graph: Callable[[], onnx.ModelProto]) -> None:
    assert BitVectorTrees.of(graph()) is None


def test_what_onnxruntime_refuses_is_refused() -> None:
    graph = random_graph(2, 3, 4)
    with pytest.raises(Exception, match=r"(?i)protobuf"):
        evaluator_of(b"no graph", graph)
