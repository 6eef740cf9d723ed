"""Thresholds from what analysts can check and what a wrong decline may cost."""

import numpy as np
import pytest

from models.thresholds import ReviewPolicy, ThresholdError

ladder = (np.arange(1000) / 1000).astype(np.float32)


def test_no_more_is_reviewed_than_the_share():
    thresholds = ReviewPolicy(review_share=0.01).thresholds(ladder, ladder > 2, 1.0)
    assert (ladder >= np.float32(thresholds.review)).sum() == 10
    assert thresholds.decline is None


def test_alerts_a_day_go_before_the_share():
    thresholds = ReviewPolicy(alerts_per_day=4).thresholds(ladder, ladder > 2, 5.0)
    assert (ladder >= np.float32(thresholds.review)).sum() == 20


def test_rows_that_share_a_score_are_alerted_together_or_not_at_all():
    scores = np.array([0.9, 0.5, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1], dtype=np.float32)
    thresholds = ReviewPolicy(review_share=0.25).thresholds(scores, scores > 2, 1.0)
    assert thresholds.review == np.float32(0.9)


def test_decline_begins_where_the_precision_is_still_met():
    is_fraud = ladder >= np.float32(0.95)
    is_fraud[960] = False
    policy = ReviewPolicy(review_share=0.1, decline_precision=0.95, decline_evidence=10)
    decline = policy.thresholds(ladder, is_fraud, 1.0).decline
    assert decline is not None
    declined = ladder >= np.float32(decline)
    assert is_fraud[declined].mean() >= 0.95
    assert is_fraud[ladder >= np.float32(decline - 0.001)].mean() < 0.95


def test_what_is_declined_takes_no_analysts_time():
    is_fraud = ladder >= np.float32(0.95)
    thresholds = ReviewPolicy(review_share=0.01, decline_precision=1.0).thresholds(ladder, is_fraud, 1.0)
    declined = ladder >= np.float32(thresholds.decline)
    assert declined.sum() == 50
    assert (ladder[~declined] >= np.float32(thresholds.review)).sum() == 10


def test_a_decline_threshold_needs_evidence():
    is_fraud = ladder >= np.float32(0.99)
    assert ReviewPolicy(review_share=0.1, decline_evidence=11).thresholds(ladder, is_fraud, 1.0).decline is None


def test_a_capacity_that_no_threshold_meets_is_refused():
    with pytest.raises(ThresholdError, match="review more"):
        ReviewPolicy(review_share=0.1).thresholds(np.ones(20, np.float32), np.ones(20, bool), 1.0)


@pytest.mark.parametrize(
    "wrong", [{"review_share": 0}, {"review_share": 1}, {"alerts_per_day": 0}, {"decline_precision": 2}]
)
def test_an_impossible_policy_is_refused(wrong):
    with pytest.raises(ThresholdError, match="must"):
        ReviewPolicy(**wrong)
