"""The Fraud Detection Handbook's protocol: which rows of a test week count, and its three figures."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.metrics.ranking import Cards, Labels, Scores, auc, average_precision, card_precision

Days = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class HandbookProtocol:
    """How many days each part of one evaluation takes (the handbook's `delta_train`, `delta_delay`, `delta_test`)."""

    train_days: int = 7
    """Days before the delay whose frauds name the cards known from the start."""
    delay_days: int = 7
    """Days until a fraud is known: on day d the frauds of day d - delay - 1 and before are."""
    test_days: int = 7
    """Length of a test period."""
    cards_a_day: int = 100
    """Cards that analysts check in a day: the k of card precision@k."""

    def known_from_day(self, from_day: int) -> int:
        """First day whose frauds name known cards, for a test period that starts on `from_day`."""
        return from_day - self.delay_days - self.train_days


@dataclass(frozen=True, slots=True)
class HandbookFigures:
    """Area under the ROC curve, average precision and mean daily card precision@k of one set of rows."""

    auc: float
    ap: float
    cp100: float


@dataclass(frozen=True, slots=True)
class HandbookReport:
    """The figures of one test period, by the protocol and over all its rows."""

    from_day: int
    protocol: HandbookFigures
    all_rows: HandbookFigures


HANDBOOK = HandbookProtocol()


def rows_without_known_cards(
    days: Days, cards: Cards, labels: Labels, from_day: int, protocol: HandbookProtocol = HANDBOOK
) -> npt.NDArray[np.bool_]:
    """Rows of the test period whose card had no fraud that is known on their day.

    On test day d the known frauds are those of the days from `from_day - 14` to `d - 8`: older ones are forgotten,
    newer ones have not been reported yet. A compromised card is blocked, so scoring it again would count one finding
    twice.

    Parameters
    ----------
    days, cards, labels: [n] of all transactions from day `from_day - 14` to the end of the test period.
    from_day: first day of the test period.

    References
    ----------
    Fraud-Detection-Handbook, `get_train_test_set` in Chapter_References/shared_functions.
    """
    fraud = np.asarray(labels, dtype=np.bool_)
    counted = np.zeros(len(days), dtype=np.bool_)
    for day in range(from_day, from_day + protocol.test_days):
        known = fraud & (days >= protocol.known_from_day(from_day)) & (days < day - protocol.delay_days)
        rows = np.flatnonzero(days == day)
        counted[rows] = ~np.isin(cards[rows], np.unique(cards[known]))
    return counted


def daily_card_precision(
    days: Days, cards: Cards, labels: Labels, scores: Scores, k: int = HANDBOOK.cards_a_day
) -> list[float]:
    """Card precision@k of each day; a card that was found leaves the following days.

    References
    ----------
    Fraud-Detection-Handbook, `card_precision_top_k` in Chapter_References/shared_functions.
    """
    found: list[Cards] = []
    daily = []
    for day in np.unique(days):
        rows = np.flatnonzero(days == day)
        if found:
            rows = rows[~np.isin(cards[rows], np.concatenate(found))]
        top = card_precision(cards[rows], labels[rows], scores[rows], k)
        found.append(top.found)
        daily.append(top.precision)
    return daily


def mean_card_precision(
    days: Days, cards: Cards, labels: Labels, scores: Scores, k: int = HANDBOOK.cards_a_day
) -> float:
    """Mean over days of `daily_card_precision`."""
    return float(np.mean(daily_card_precision(days, cards, labels, scores, k)))


def assess(
    days: Days, cards: Cards, labels: Labels, scores: Scores, from_day: int, protocol: HandbookProtocol = HANDBOOK
) -> HandbookReport:
    """Figures of the test period that starts on `from_day`.

    Parameters
    ----------
    days: [n] event day of each transaction, from `from_day - 14` at the latest to the end of the test period (others
        are ignored).
    cards, labels: [n] card and fraud of each transaction.
    scores: [n] fraud score; only rows of the test period are read.
    from_day: first day of the test period.

    Raises
    ------
    UndefinedMetricError: the test period holds no fraud or a score of it is not finite.
    """
    in_test = (days >= from_day) & (days < from_day + protocol.test_days)
    counted = rows_without_known_cards(days, cards, labels, from_day, protocol)
    k = protocol.cards_a_day
    return HandbookReport(
        from_day,
        protocol=_figures(days[counted], cards[counted], labels[counted], scores[counted], k),
        all_rows=_figures(days[in_test], cards[in_test], labels[in_test], scores[in_test], k),
    )


def _figures(days: Days, cards: Cards, labels: Labels, scores: Scores, k: int) -> HandbookFigures:
    return HandbookFigures(
        auc(labels, scores), average_precision(labels, scores), mean_card_precision(days, cards, labels, scores, k)
    )
