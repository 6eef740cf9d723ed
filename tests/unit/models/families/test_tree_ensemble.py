"""Trees as arrays, and the rounding of their thresholds."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.families.catalogue import family
from models.families.tree_ensemble import TreeEnsemble, TreeEnsembleError, float32_at_most
from tests.unit.models.small_model import QUICK


@given(st.floats(allow_nan=False), st.floats(width=32, allow_nan=False))
def test_a_rounded_threshold_decides_alike_for_every_float32(threshold, x):
    assert (np.float32(x) <= float32_at_most(threshold)) == (float(x) <= threshold)


@given(st.floats(min_value=-1e38, max_value=1e38), st.integers(-2, 2))
def test_a_rounded_threshold_decides_alike_for_its_neighbours(threshold, steps):
    x = np.float32(threshold)
    for _ in range(abs(steps)):
        x = np.nextafter(x, np.float32(np.copysign(np.inf, steps)))
    assert (x <= float32_at_most(threshold)) == (float(x) <= threshold)


@pytest.fixture(scope="module")
def trees(rows) -> TreeEnsemble:
    kind = family("lightgbm")
    read = TreeEnsemble.from_onnx(kind.to_onnx(kind.fit(rows[0], rows[1], None, 1, **QUICK["lightgbm"]), 12))
    assert read is not None
    return read


def test_trees_read_from_a_graph_write_the_same_graph(trees):
    again = TreeEnsemble.from_onnx(trees.to_onnx())
    assert again is not None
    for field in dataclasses.fields(TreeEnsemble):
        assert np.array_equal(getattr(trees, field.name), getattr(again, field.name)), field.name


def test_a_child_before_its_parent_is_refused(trees):
    left = trees.left.copy()
    left[0] = 0
    with pytest.raises(TreeEnsembleError, match="does not stand behind its parent"):
        dataclasses.replace(trees, left=left)


def test_a_node_without_cover_is_refused(trees):
    with pytest.raises(TreeEnsembleError, match="no training rows"):
        dataclasses.replace(trees, cover=np.zeros_like(trees.cover))


def test_a_feature_beyond_the_rows_is_refused(trees):
    with pytest.raises(TreeEnsembleError, match="outside the 3"):
        dataclasses.replace(trees, n_features=3)
