"""A reference's own windows say what lasts for several blocks."""

import numpy as np

from models.drift.bins import CELLS
from models.drift.tables.own_variation import design_effect, largest_excess, pooled_dispersion, stability_of_weeks

BLOCKS, ROWS = 56, 100


def blocks_of(values: np.ndarray) -> np.ndarray:
    """Ten even cells of values in 0 to 1, counted by block: [BLOCKS, 1, CELLS]."""
    cells = (values * 10).astype(int).clip(0, 9).reshape(BLOCKS, ROWS)
    return np.array([[np.bincount(block, minlength=CELLS)] for block in cells]).astype(float)


def independent() -> np.ndarray:
    return np.random.default_rng(1).random(BLOCKS * ROWS)


def test_weeks_of_independent_rows_vary_as_such() -> None:
    assert design_effect(blocks_of(independent()))[0] < 1.5


def test_weeks_of_rows_that_come_five_alike_vary_five_times_as_much() -> None:
    alike = np.repeat(independent()[::5], 5)
    assert 3.0 < design_effect(blocks_of(alike))[0] < 7.0


def test_one_strange_week_is_held_against_the_others() -> None:
    values = independent()
    usual = stability_of_weeks(blocks_of(values))[0]
    values[700:1400] /= 2.0
    strange = stability_of_weeks(blocks_of(values))[0]
    assert usual < 0.1
    assert strange > 1.0


def test_a_burst_of_misses_is_the_largest_excess_of_cell_and_total() -> None:
    misses = np.zeros((BLOCKS, 2, CELLS))
    misses[:, :, 0] = 5.0
    rows, spread = np.full(BLOCKS, ROWS), np.ones((3, 2 * CELLS + 1))
    assert largest_excess(misses, misses, rows, 0.01, spread) == (0.0, 0.0)
    misses[20:23, :, 0] = 15.0
    cell, total = largest_excess(misses, misses, rows, 0.01, spread)
    assert cell == total > 5.0


def test_a_quiet_cell_takes_the_dispersion_of_its_column() -> None:
    spread = np.array([[1.0, 2.0, 4.0, 1.0, 1.0, 9.0, 7.0]])
    met = np.array([True, True, True, False, False, False, True])
    assert pooled_dispersion(spread, met, columns=2).tolist() == [[2.0, 2.0, 4.0, 1.0, 1.0, 1.0, 7.0]]
