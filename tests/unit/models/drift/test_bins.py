"""Every value has one cell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.drift.bins import CELLS, MISSING, UNSEEN, Bins, BinsError

VALUES = hnp.arrays(np.float32, st.tuples(st.integers(1, 60), st.just(2)), elements=st.floats(-1e6, 1e6, width=32))


@given(VALUES)
def test_each_value_lies_in_the_cell_whose_edges_enclose_it(values: np.ndarray) -> None:
    bins = Bins.of(values, ["a", "b"], [False, False])
    for at, column in enumerate(bins.columns):
        ends = [-np.inf, *column.edges, np.inf]
        cells = bins.cells(values)[:, at]
        assert all(ends[cell] < value <= ends[cell + 1] for cell, value in zip(cells, values[:, at], strict=True))


@given(VALUES)
def test_no_bin_of_the_reference_is_empty(values: np.ndarray) -> None:
    bins = Bins.of(values, ["a", "b"], [False, False])
    cells = bins.cells(values)
    for at, column in enumerate(bins.columns):
        assert set(cells[:, at].tolist()) == set(range(len(column.edges) + 1))


def test_a_code_that_the_reference_lacks_is_unseen_and_a_rare_one_is_not() -> None:
    codes = np.repeat(np.arange(30, dtype=np.float32), np.arange(60, 30, -1))[:, None]
    bins = Bins.of(codes, ["country"], [True])
    cells = bins.cells(np.array([[0], [29], [99], [np.nan]], np.float32))[:, 0]
    assert cells.tolist() == [0, len(bins.columns[0].edges), UNSEEN, MISSING]


def test_all_cells_fit_into_the_table() -> None:
    codes = np.arange(50, dtype=np.float32)[:, None]
    assert Bins.of(codes, ["c"], [True]).cells(codes).max() < CELLS


def test_rows_of_another_width_are_refused() -> None:
    bins = Bins.of(np.zeros((3, 2), np.float32), ["a", "b"], [False, False])
    with pytest.raises(BinsError, match="bins of 2 columns"):
        bins.cells(np.zeros((3, 4), np.float32))
