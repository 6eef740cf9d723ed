"""Ranking metrics of fraud scores: AUC, average precision and card precision@k, all exact under ties."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError

Labels = npt.NDArray[np.bool_] | npt.NDArray[np.integer]
Scores = npt.NDArray[np.floating]
Cards = npt.NDArray[np.generic]


class UndefinedMetricError(FraudstreamError):
    """Raised when the rows do not define a metric, because they hold no fraud or nothing but frauds."""


class CardPrecision(NamedTuple):
    """What the `k` most suspicious cards of one day hold."""

    precision: float
    """Share of the k places taken by cards that had a fraud that day."""
    found: Cards
    """Those cards."""


def auc(labels: Labels, scores: Scores) -> float:
    """Area under the ROC curve: the chance that a fraud outscores a genuine transaction, a tie counting one half.

    Parameters
    ----------
    labels: [n] true where the transaction is a fraud.
    scores: [n] higher means more suspicious.

    Raises
    ------
    UndefinedMetricError: the rows hold only one class.

    Examples
    --------
    >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.8]))
    0.875
    """
    frauds_above, rows_above = _cumulated(labels, scores)
    frauds, genuine = int(frauds_above[-1]), int(rows_above[-1] - frauds_above[-1])
    if not frauds or not genuine:
        raise UndefinedMetricError(
            f"AUC needs frauds and genuine rows, got {frauds} and {genuine}: choose rows that hold both"
        )
    true_positives = np.concatenate(([0], frauds_above))
    false_positives = np.concatenate(([0], rows_above - frauds_above))
    twice_area = np.sum(np.diff(false_positives) * (true_positives[1:] + true_positives[:-1]))
    return float(twice_area / (2 * frauds * genuine))


def average_precision(labels: Labels, scores: Scores) -> float:
    """Mean precision over the frauds, each taken at the threshold that just reaches it; tied rows are reached together.

    The sum of precision times the step in recall over distinct scores, without interpolation (as scikit-learn has it).

    Parameters
    ----------
    labels: [n] true where the transaction is a fraud.
    scores: [n] higher means more suspicious.

    Raises
    ------
    UndefinedMetricError: the rows hold no fraud.

    Examples
    --------
    >>> round(average_precision(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
    0.8333
    """
    frauds_above, rows_above = _cumulated(labels, scores)
    frauds = int(frauds_above[-1])
    if not frauds:
        raise UndefinedMetricError("average precision needs at least 1 fraud, got 0: choose rows that hold one")
    steps = np.diff(frauds_above, prepend=0)
    return float(np.sum(frauds_above / rows_above * steps) / frauds)


def card_precision(cards: Cards, labels: Labels, scores: Scores, k: int) -> CardPrecision:
    """Share of the `k` most suspicious distinct cards of a day that had a fraud on it.

    A card's score is its highest of the day and it counts as a fraud when any of its transactions is one. Fewer cards
    than `k` still divide by `k`; cards with equal scores are taken in the order of their ids, so the figure does not
    depend on the order of rows.

    Parameters
    ----------
    cards: [n] card of each transaction of the day.
    labels: [n] true where the transaction is a fraud.
    scores: [n] higher means more suspicious.
    k: how many cards the analysts can check in a day.

    Examples
    --------
    >>> day = np.array([7, 7, 8, 9]), np.array([0, 1, 0, 1]), np.array([0.9, 0.1, 0.8, 0.2])
    >>> card_precision(*day, k=2).precision
    0.5

    References
    ----------
    Le Borgne, Siblini, Lebichot, Bontempi: Reproducible Machine Learning for Credit Card Fraud Detection, chapter 4,
    "Card Precision top-k".
    """
    if k < 1:
        raise UndefinedMetricError(f"card precision needs k of at least 1, got {k}")
    distinct, row_card = np.unique(cards, return_inverse=True)
    highest = np.full(len(distinct), -np.inf)
    np.maximum.at(highest, row_card, scores)
    defrauded = np.zeros(len(distinct), dtype=np.bool_)
    defrauded[row_card[np.asarray(labels, dtype=np.bool_)]] = True
    top = np.argsort(-highest, kind="stable")[:k]
    found = distinct[top[defrauded[top]]]
    return CardPrecision(len(found) / k, found)


def _cumulated(labels: Labels, scores: Scores) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Frauds and rows at or above each distinct score, highest score first."""
    if len(labels) != len(scores) or not len(labels):
        raise UndefinedMetricError(
            f"a ranking needs one score per label and at least one row, got {len(scores)} and {len(labels)}"
        )
    if not np.all(np.isfinite(scores)):
        raise UndefinedMetricError(f"{int(np.sum(~np.isfinite(scores)))} scores are not finite: leave those rows out")
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    frauds = np.cumsum(np.asarray(labels, dtype=np.bool_)[order], dtype=np.int64)
    return frauds[last_of_tie], (last_of_tie + 1).astype(np.int64)
