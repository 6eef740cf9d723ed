"""Arithmetic on eight numbers at once, against numpy."""

import numba as nb
import numpy as np
import pytest

from models.explain.lanes import LANES, load, spread, store, total


@nb.njit
def compute(lines, number, sums):
    left, right = load(lines, 0), load(lines, 1)
    store(lines, 2, left + right)
    store(lines, 3, left - right)
    store(lines, 4, left * right)
    store(lines, 5, left / right)
    store(lines, 6, number - left)
    store(lines, 7, left / number)
    store(lines, 8, spread(number))
    sums[0] = total(left)


def test_each_lane_is_computed_as_numpy_does():
    random = np.random.default_rng(3)
    lines, number, sums = random.random((9, LANES), np.float32), np.float32(0.3), np.zeros(1)
    left, right = lines[:2].copy()
    compute(lines, number, sums)
    expected = [left, right, left + right, left - right, left * right, left / right, number - left, left / number]
    assert np.array_equal(lines, [*expected, np.full(LANES, number)])
    assert sums[0] == pytest.approx(left.sum(), rel=1e-6)
