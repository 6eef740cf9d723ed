"""Two models on the same transactions: how far they agree."""

import numpy as np
import pytest

from models.metrics.pairing import pair
from models.metrics.ranking import UndefinedMetricError

random = np.random.default_rng(1)
scores = random.random(4000).astype(np.float32)
amount = random.integers(100, 10_000, 4000)
none = np.zeros(4000, np.uint8)


def decided(scores):
    return (scores >= 0.9).astype(np.uint8) + (scores >= 0.99)


def test_a_model_paired_with_itself_agrees_everywhere():
    itself = pair(scores, scores, decided(scores), decided(scores), amount)
    assert itself.rank_correlation == pytest.approx(1)
    assert (itself.top_overlap, itself.flipped, itself.flipped_value) == (1, 0, 0)
    assert itself.champion_alert_rate == itself.candidate_alert_rate == pytest.approx(0.1, abs=0.02)


def test_it_agrees_with_itself_under_ties_too():
    coarse = np.round(scores, 1)
    assert pair(coarse, coarse, none, none, amount).top_overlap == pytest.approx(1)


def mean_ranks(column):
    below = (column[:, None] > column).sum(axis=1)
    return below + ((column[:, None] == column).sum(axis=1) + 1) / 2


def test_the_rank_correlation_is_that_of_mean_ranks_under_ties():
    coarse, other = np.round(scores, 1), np.round(scores + random.normal(0, 0.3, 4000), 1)
    expected = np.corrcoef(mean_ranks(coarse), mean_ranks(other))[0, 1]
    assert pair(coarse, other, none, none, amount).rank_correlation == pytest.approx(expected)


def test_a_growing_map_of_the_scores_changes_neither_ranks_nor_top():
    mapped = pair(scores, scores**3 / 2, none, none, amount)
    assert mapped.rank_correlation == pytest.approx(1)
    assert mapped.top_overlap == 1


def test_an_inverted_model_shares_no_top_and_correlates_by_minus_one():
    inverted = pair(scores, 1 - scores, none, none, amount)
    assert inverted.rank_correlation == pytest.approx(-1)
    assert inverted.top_overlap == 0


def test_a_constant_model_has_no_rank_correlation_and_the_overlap_of_chance():
    constant = pair(scores, np.full(4000, 0.5), none, none, amount)
    assert constant.rank_correlation is None
    assert constant.top_overlap == pytest.approx(0.005)


def test_review_and_decline_are_both_alerts_so_a_change_between_them_is_no_flip():
    assert pair(scores, scores, none + 1, none + 2, amount).flipped == 0


def test_flips_are_weighed_by_count_and_by_value():
    alerts = none.copy()
    alerts[:40] = 1
    paired = pair(scores, scores, none, alerts, amount)
    assert paired.flipped == 0.01
    assert paired.flipped_value == pytest.approx(amount[:40].sum() / amount.sum())
    assert (paired.champion_alert_rate, paired.candidate_alert_rate) == (0, 0.01)


def test_without_an_amount_there_is_no_flipped_value():
    assert pair(scores, scores, none, none, np.zeros(4000)).flipped_value is None


@pytest.mark.parametrize("strange", [np.nan, np.inf])
def test_a_score_that_is_not_finite_is_refused(strange):
    broken = scores.copy()
    broken[3] = strange
    with pytest.raises(UndefinedMetricError, match="1 scores are not finite"):
        pair(scores, broken, none, none, amount)


@pytest.mark.parametrize("rows", [0, 3])
def test_columns_of_unequal_lengths_and_no_row_at_all_are_refused(rows):
    with pytest.raises(UndefinedMetricError, match="one entry per row"):
        pair(scores[:rows], scores[:0], none[:0], none[:0], amount[:0])
