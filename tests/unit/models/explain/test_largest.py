"""Which contributions are given as reasons."""

import numpy as np

from models.explain.largest import largest


def test_the_largest_lead_and_of_equal_ones_the_first():
    columns, sizes = largest(np.array([[0.1, 3.0, -9.0, 3.0, 2.0]]), 3)
    assert (columns.tolist(), sizes.tolist()) == ([[1, 3, 4]], [[3.0, 3.0, 2.0]])


def test_what_does_not_raise_the_score_is_left_out():
    columns, sizes = largest(np.array([[-1.0, 0.5, 0.0], [-1.0, -2.0, -3.0]]), 2)
    assert (columns[0, 0], sizes.tolist()) == (1, [[0.5, 0.0], [0.0, 0.0]])


def test_more_may_be_asked_for_than_there_are():
    assert largest(np.array([[1.0, 2.0]]), 4)[1].tolist() == [[2.0, 1.0, 0.0, 0.0]]


def test_none_may_be_asked_for():
    assert largest(np.array([[1.0, 2.0]]), 0)[0].shape == (1, 0)


def test_any_rows_are_ordered_as_by_a_stable_sort():
    contributions = np.random.default_rng(4).integers(-3, 9, (200, 12)).astype(np.float64)
    columns, sizes = largest(contributions, 4)
    best = np.argsort(-contributions, axis=1, kind="stable")[:, :4]
    expected = np.maximum(np.take_along_axis(contributions, best, axis=1), 0.0)
    assert np.array_equal(sizes, expected)
    assert np.array_equal(columns[expected > 0], best[expected > 0])
