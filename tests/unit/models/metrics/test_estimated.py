"""What scores alone lead to expect, against worlds in which the chances are known."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from models.metrics.calibration import CalibrationError, CalibrationMap, calibration_error
from models.metrics.estimated import estimate, expected_average_precision
from models.metrics.ranking import average_precision
from tests.unit.models.metrics.scored import scored_rows

IDENTITY = CalibrationMap([0.0, 1.0], [0.0, 1.0])


def test_calibrated_scores_tell_the_figures_before_any_label() -> None:
    random = np.random.default_rng(1)
    chance = random.beta(0.1, 2.0, 40_000)
    fraud = random.random(40_000) < chance
    rows = scored_rows(chance, np.zeros(40_000), day=199)
    expected = estimate(rows, IDENTITY)
    flagged = rows.decision > 0
    assert expected.frauds == pytest.approx(fraud.sum(), rel=0.05)
    assert expected.precision == pytest.approx(fraud[flagged].mean(), abs=0.03)
    assert expected.recall == pytest.approx(flagged[fraud].mean(), abs=0.03)
    assert expected.average_precision == pytest.approx(average_precision_score(fraud, chance), abs=0.03)


def test_the_expected_average_precision_is_the_mean_over_outcomes_even_with_few_frauds() -> None:
    random = np.random.default_rng(2)
    score = np.round(random.random(60), 1)
    chance = 0.9 * score**2
    drawn = [random.random(60) < chance for _ in range(2_000)]
    found = np.mean([average_precision(fraud, score) for fraud in drawn if fraud.any()])
    assert expected_average_precision(chance, score) == pytest.approx(found, abs=0.01)


def test_certain_labels_give_the_measured_average_precision() -> None:
    random = np.random.default_rng(3)
    score, fraud = random.permutation(50) / 50, random.random(50) < 0.3
    found = expected_average_precision(fraud.astype(float), score)
    assert found == pytest.approx(average_precision_score(fraud, score))


def test_rows_without_an_alert_or_a_chance_define_no_ratio() -> None:
    expected = estimate(scored_rows([0.1, 0.2], [0, 0]), CalibrationMap([0.0, 1.0], [0.0, 0.0]))
    assert (expected.precision, expected.recall, expected.average_precision) == (None, None, None)


def test_a_fitted_map_undoes_what_distorted_the_scores() -> None:
    random = np.random.default_rng(4)
    chance = random.beta(0.3, 2.0, 60_000)
    fraud, score = random.random(60_000) < chance, np.sqrt(chance)
    fitted = CalibrationMap.fit(score[:30_000], fraud[:30_000])
    assert len(fitted.scores) <= 64
    later = fitted.chance(score[30_000:])
    assert calibration_error(later, fraud[30_000:]) < 0.02 < calibration_error(score[30_000:], fraud[30_000:])


def test_a_map_that_falls_or_rests_on_no_fraud_is_refused() -> None:
    with pytest.raises(CalibrationError, match="must not fall"):
        CalibrationMap([0.0, 1.0], [0.5, 0.4])
    with pytest.raises(CalibrationError, match="as many of each"):
        CalibrationMap([0.0, 1.0], [0.5])
    with pytest.raises(CalibrationError, match="at least 1 fraud"):
        CalibrationMap.fit(np.array([0.1, 0.2]), np.array([False, False]))
