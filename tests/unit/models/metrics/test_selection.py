"""Figures with the declines put back."""

import numpy as np
import pytest

from models.metrics.scored_rows import DECLINE, ScoredRows
from models.metrics.selection import (
    WEIGHT_CAP,
    control_warning,
    correct,
    effective_size,
    expected_control_rows,
    weights,
)
from models.schema.performance import CorrectedFigures
from models.schema.topics import DAY_MS
from tests.unit.models.metrics.scored import holds, limits, scored_rows, value

WEEK_MS = 7 * DAY_MS


def world(seed: int, share: float = 0.05, n: int = 60_000):
    """A world in which 1,500 rows are declined, two thirds of them frauds, and some of these let pass."""
    random = np.random.default_rng(seed)
    declined = np.arange(n) < 1_500
    fraud = np.where(declined, random.random(n) < 2 / 3, random.random(n) < 0.01)
    score = np.where(declined, 0.9 + 0.1 * random.random(n), np.where(random.random(n) < 0.02, 0.6, 0.2))
    passed = declined & (random.random(n) < share)
    rows = scored_rows(
        score, fraud & (passed | ~declined), control=passed, pass_probability=np.where(declined, share, 1.0)
    )
    return rows, fraud, score


def made(rows: ScoredRows, resamples: int = 200) -> CorrectedFigures:
    """Corrected figures of rows that have some."""
    corrected = correct(rows, WEEK_MS, resamples=resamples)
    assert corrected is not None
    return corrected


def test_the_corrected_figures_are_those_of_a_world_without_declines() -> None:
    rows, fraud, score = world(seed=1)
    corrected = made(rows)
    assert holds(corrected.precision, fraud[score >= 0.5].mean())
    assert holds(corrected.recall, np.mean(score[fraud] >= 0.5))
    naive = rows.take(rows.decision != DECLINE)
    assert naive.is_fraud[naive.score >= 0.5].mean() < limits(corrected.precision)[0]


def test_over_many_draws_the_corrected_recall_is_right_on_average() -> None:
    errors = []
    for seed in range(20):
        rows, fraud, score = world(seed, n=20_000)
        errors.append(value(made(rows, resamples=0).recall) - np.mean(score[fraud] >= 0.5))
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(len(errors))


def test_the_default_group_of_five_percent_is_not_cut_and_a_smaller_one_is() -> None:
    chances = [0.05, 0.01, 1, 0.05]
    passed = [True, True, False, False]
    rows = scored_rows([0.95, 0.95, 0.6, 0.95], [0] * 4, control=passed, pass_probability=chances)
    assert weights(rows) == pytest.approx([20.0, WEIGHT_CAP, 1.0, 0.0])
    assert weights(rows, cap=100.0) == pytest.approx([20.0, 100.0, 1.0, 0.0])


def test_equal_weights_cost_nothing_and_unequal_ones_do() -> None:
    rows, _, _ = world(seed=2)
    corrected = made(rows, resamples=0)
    assert corrected.effective_control_rows == pytest.approx(corrected.control_rows)
    reviewed = int(np.sum(rows.decision == 1))
    assert corrected.control_rows < corrected.effective_alerts < reviewed + corrected.control_rows
    assert effective_size(np.zeros(0)) == 0.0


def test_declines_that_nothing_speaks_for_are_counted() -> None:
    rows = scored_rows([0.95] * 4, [0] * 4, control=[True, False, False, False], pass_probability=[0.05, 0.05, 0, 0])
    assert made(rows).declines_not_represented == 2


def test_without_a_mature_control_row_nothing_is_corrected() -> None:
    assert correct(scored_rows([0.95, 0.6], [1, 0]), WEEK_MS) is None
    assert correct(scored_rows([0.95, 0.6], [1, 0], control=[True, False], as_of_day=105), WEEK_MS) is None


def test_a_small_control_group_is_warned_of() -> None:
    assert expected_control_rows(100_000, 0.01, 0.05, 0.5) == pytest.approx(25.0)
    assert "25 control rows a week" in (control_warning(25.0) or "")
    assert control_warning(50.0) is None
