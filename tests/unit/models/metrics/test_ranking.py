"""Ranking metrics against scikit-learn's and small cases counted by hand."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.metrics.ranking import UndefinedMetricError, auc, average_precision, card_precision


@st.composite
def rankings(draw: st.DrawFn) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Labels of both classes with scores from so few values that ties are common."""
    rows = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=60))
    labels = np.array([label for label, _ in rows] + [0, 1])
    scores = np.array([score / 6 for _, score in rows] + [draw(st.integers(0, 6)) / 6, draw(st.integers(0, 6)) / 6])
    return labels, scores


@given(rankings())
def test_auc_equals_scikit_learn_under_ties(ranking: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]) -> None:
    assert auc(*ranking) == pytest.approx(roc_auc_score(*ranking), abs=1e-12)


@given(rankings())
def test_average_precision_equals_scikit_learn_under_ties(
    ranking: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]],
) -> None:
    assert average_precision(*ranking) == pytest.approx(average_precision_score(*ranking), abs=1e-12)


def test_a_constant_score_has_auc_one_half_and_the_fraud_rate_as_average_precision() -> None:
    labels, scores = np.array([1, 0, 0, 0]), np.full(4, 0.5)
    assert auc(labels, scores) == 0.5
    assert average_precision(labels, scores) == 0.25


@pytest.mark.parametrize("labels", [[0, 0], [1, 1]])
def test_auc_of_one_class_is_refused_with_both_counts(labels: list[int]) -> None:
    with pytest.raises(UndefinedMetricError, match="frauds and genuine rows"):
        auc(np.array(labels), np.array([0.1, 0.2]))


def test_average_precision_without_a_fraud_is_refused() -> None:
    with pytest.raises(UndefinedMetricError, match="at least 1 fraud"):
        average_precision(np.array([0, 0]), np.array([0.1, 0.2]))


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(UndefinedMetricError, match="1 scores are not finite"):
        auc(np.array([0, 1]), np.array([0.1, np.nan]))


def test_rows_and_scores_of_unequal_length_are_refused() -> None:
    with pytest.raises(UndefinedMetricError, match="one score per label"):
        auc(np.array([0, 1]), np.array([0.1]))


def test_a_card_counts_once_by_its_highest_score_and_any_fraud() -> None:
    cards = np.array([7, 7, 8, 9])
    top = card_precision(cards, np.array([0, 1, 0, 1]), np.array([0.9, 0.1, 0.8, 0.2]), k=2)
    assert top.precision == 0.5
    assert top.found.tolist() == [7]


def test_fewer_cards_than_places_still_divide_by_the_places() -> None:
    assert card_precision(np.array([1, 2]), np.array([1, 1]), np.array([0.5, 0.4]), k=100).precision == 0.02


def test_cards_with_equal_scores_are_taken_in_order_of_their_ids() -> None:
    found = card_precision(np.array([3, 1, 2]), np.array([1, 1, 1]), np.full(3, 0.5), k=2).found
    assert found.tolist() == [1, 2]


def test_card_precision_of_no_cards_a_day_is_refused() -> None:
    with pytest.raises(UndefinedMetricError, match="k of at least 1, got 0"):
        card_precision(np.array([1]), np.array([1]), np.array([0.5]), k=0)
