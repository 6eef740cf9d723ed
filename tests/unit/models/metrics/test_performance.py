"""Figures of rows whose labels are known, against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, log_loss, precision_score, recall_score, roc_auc_score

from models.metrics.intervals import mean_of_days
from models.metrics.performance import counted, measure
from models.metrics.ranking import auc, average_precision
from models.metrics.tally import Ranking
from models.schema.topics import DAY_MS
from tests.unit.models.metrics.scored import holds, limits, scored_rows

WEEK_MS = 7 * DAY_MS


def ranking(score, fraud, *, weight=None, card=None):
    n = len(score)
    return Ranking(
        score=np.asarray(score, float),
        fraud=np.asarray(fraud, bool),
        alert=np.asarray(score) >= 0.5,
        amount=np.ones(n),
        card=np.arange(n) if card is None else np.asarray(card),
        weight=None if weight is None else np.asarray(weight, float),
    )


def random_week(seed: int = 1, n: int = 4_000):
    random = np.random.default_rng(seed)
    fraud = random.random(n) < 0.03
    score = np.where(fraud, random.beta(2, 2, n), random.beta(0.4, 6, n)).round(2).astype(np.float32)
    return score, fraud, random


def test_figures_are_those_of_scikit_learn() -> None:
    score, fraud, random = random_week()
    rows = scored_rows(score, fraud, card=random.integers(0, 500, len(score)))
    figures = measure(rows, resamples=0)
    flagged = score >= 0.5
    assert figures.precision.value == pytest.approx(precision_score(fraud, flagged))
    assert figures.recall.value == pytest.approx(recall_score(fraud, flagged))
    assert figures.average_precision.value == pytest.approx(average_precision_score(fraud, score))
    assert figures.auc.value == pytest.approx(roc_auc_score(fraud, score))
    assert figures.log_loss.value == pytest.approx(log_loss(fraud, np.clip(score.astype(float), 1e-6, 1 - 1e-6)))


def test_money_alerts_and_calibration_are_counted_by_hand() -> None:
    rows = scored_rows([0.95, 0.6, 0.5, 0.2, 0.1], [1, 0, 1, 1, 0], amount_minor=[500, 7_000, 1_500, 8_000, 20])
    figures = measure(rows, resamples=0)
    assert figures.precision.value == figures.recall.value == pytest.approx(2 / 3)
    assert figures.false_positives_per_fraud.value == 0.5
    assert figures.value_detection_rate.value == 0.2
    assert figures.expected_to_confirmed_ratio.value == pytest.approx(2.35 / 3)
    # the bins hold the first two scores, the third, the last two
    assert figures.calibration_error.value == pytest.approx((abs(1.55 - 1) + abs(0.5 - 1) + abs(0.3 - 1)) / 5)
    assert figures.card_precision_100.value == 0.03


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_weight_is_as_good_as_so_many_equal_rows(rows) -> None:
    fraud, score, times = (np.array(column) for column in zip((1, 3, 1), (0, 2, 1), *rows, strict=True))
    weighted = ranking(score / 6, fraud, weight=times).tally()
    repeated_fraud, repeated_score = np.repeat(fraud > 0, times), np.repeat(score / 6, times)
    assert weighted.average_precision[0] == pytest.approx(average_precision(repeated_fraud, repeated_score))
    assert weighted.auc[0] == pytest.approx(auc(repeated_fraud, repeated_score))


def test_without_frauds_what_needs_one_is_not_defined_and_the_rest_is() -> None:
    figures = measure(scored_rows([0.6, 0.1], [0, 0]))
    assert figures.precision.value == 0.0
    assert {figures.recall.value, figures.average_precision.value, figures.auc.value} == {None}
    assert {figures.value_detection_rate.value, figures.card_precision_100.value} == {None}
    assert figures.log_loss.value is not None


def test_without_rows_nothing_is_defined() -> None:
    figures = measure(scored_rows([], []))
    assert {getattr(figures, name).value for name in figures.__struct_fields__} == {None}


def test_an_unlabelled_row_is_never_genuine_before_maturity() -> None:
    rows = scored_rows([0.1, 0.1, 0.1], [0, 0, 0], day=[100, 101, 102], as_of_day=108)
    assert counted(rows, WEEK_MS).tolist() == [True, False, False]


def test_a_statement_on_a_young_row_does_not_count_yet() -> None:
    rows = scored_rows([0.6, 0.6], [1, 1], day=[100, 104], as_of_day=108)
    assert rows.stated.all()
    assert counted(rows, WEEK_MS).tolist() == [True, False]


def test_a_declined_row_counts_only_when_somebody_stated_it() -> None:
    rows = scored_rows([0.95, 0.95], [1, 0], as_of_day=120)
    assert counted(rows, WEEK_MS).tolist() == [True, False]


def test_a_control_row_is_an_alert() -> None:
    figures = measure(scored_rows([0.95, 0.95, 0.6], [1, 0, 0], control=[True, True, False]), resamples=0)
    assert figures.precision.value == pytest.approx(1 / 3)


def test_limits_are_the_same_for_the_same_seed() -> None:
    score, fraud, _ = random_week()
    rows = scored_rows(score, fraud)
    assert measure(rows, seed=3) == measure(rows, seed=3) != measure(rows, seed=4)


def test_limits_widen_when_the_same_frauds_lie_on_fewer_cards() -> None:
    score, fraud, random = random_week()
    spread = measure(scored_rows(score, fraud, card=np.arange(len(score)))).recall
    bunched = measure(scored_rows(score, fraud, card=random.integers(0, 12, len(score)) * (score > 0.3))).recall
    assert np.ptp(limits(bunched)) > np.ptp(limits(spread))


def test_a_share_of_one_still_has_a_lower_limit() -> None:
    figures = measure(scored_rows([0.6, 0.6, 0.1], [1, 1, 0]))
    assert figures.precision.value == figures.precision.high == 1.0
    assert 0.3 < limits(figures.precision)[0] < 0.4


def test_the_intervals_cover_the_true_figure_about_as_often_as_they_say() -> None:
    """60 weeks of 300 cards, each card good or bad for its scores; the truth is the figure of 60 weeks together."""
    weeks = [card_world(seed) for seed in range(60)]
    score, fraud, _ = (np.concatenate(part) for part in zip(*weeks, strict=True))
    truth = measure(scored_rows(score, fraud), resamples=0)
    measured = [measure(scored_rows(s, f, card=c), seed=at) for at, (s, f, c) in enumerate(weeks)]
    for name in ("precision", "recall", "average_precision"):
        wanted = getattr(truth, name).value
        covered = sum(holds(getattr(figures, name), wanted) for figures in measured)
        assert covered >= 51, f"{name}: {covered} of 60"
    alone = [measure(scored_rows(s, f), seed=at).recall for at, (s, f, _) in enumerate(weeks)]
    assert sum(holds(recall, truth.recall.value) for recall in alone) < 51, "cards do not matter here"


def card_world(seed: int):
    random = np.random.default_rng(seed)
    card = np.repeat(np.arange(300), 12)
    abused, seen = random.random(300) < 0.12, random.random(300)
    fraud = abused[card] & (random.random(len(card)) < 0.5)
    score = np.where(fraud, 0.75 * seen[card] + 0.25 * random.random(len(card)), random.beta(1, 5, len(card)))
    return score.astype(np.float32), fraud, card


def test_days_that_are_all_equal_have_no_width_and_one_day_has_no_limits() -> None:
    assert mean_of_days(np.full(7, 0.3)) == mean_of_days(np.full(2, 0.3))
    assert mean_of_days(np.array([0.3])).low is None
