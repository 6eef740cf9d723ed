"""The handbook's protocol on cases small enough to count by hand."""

import numpy as np

from models.metrics.handbook import HandbookProtocol, assess, mean_card_precision, rows_without_known_cards

START = 100


def counted_cards(fraud_days: dict[int, int], test_day: int) -> set[int]:
    """Which of the cards are counted on `test_day` when each has one fraud on its day."""
    days = np.array([*fraud_days.values(), *[test_day] * len(fraud_days)])
    cards = np.array([*fraud_days, *fraud_days])
    labels = np.array([1] * len(fraud_days) + [0] * len(fraud_days))
    rows = rows_without_known_cards(days, cards, labels, START)
    return set(cards[rows & (days == test_day)].tolist())


def test_a_card_is_left_out_from_the_eighth_day_after_its_fraud() -> None:
    fraud_days = {1: START - 8, 2: START - 7}
    assert counted_cards(fraud_days, START) == {2}
    assert counted_cards(fraud_days, START + 1) == set()


def test_frauds_before_the_training_week_are_forgotten() -> None:
    assert counted_cards({1: START - 15, 2: START - 14}, START) == {1}


def test_frauds_within_the_delay_leave_their_card_in() -> None:
    assert counted_cards({1: START, 2: START - 1}, START + 6) == {1, 2}


def test_only_rows_of_the_test_period_are_counted() -> None:
    days = np.array([START - 1, START, START + 6, START + 7])
    assert rows_without_known_cards(days, np.arange(4), np.zeros(4, dtype=int), START).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_a_card_that_was_found_leaves_the_following_days() -> None:
    days, cards = np.array([0, 0, 1, 1]), np.array([1, 2, 1, 2])
    labels, scores = np.array([1, 1, 1, 1]), np.array([0.9, 0.1, 0.9, 0.1])
    # k = 1: card 1 is found on day 0 and gone on day 1, where card 2 takes the place
    assert mean_card_precision(days, cards, labels, scores, k=1) == 1.0
    # a card in the top that had no fraud that day was not found and stays
    assert mean_card_precision(days, cards, np.array([0, 1, 1, 1]), scores, k=1) == 0.5


def test_the_report_names_figures_by_the_protocol_and_over_all_rows() -> None:
    days = np.array([START - 8, START, START, START, START])
    cards = np.array([1, 1, 2, 3, 4])
    labels = np.array([1, 1, 1, 0, 0])
    scores = np.array([np.nan, 0.9, 0.3, 0.4, 0.2])
    report = assess(days, cards, labels, scores, START, HandbookProtocol(cards_a_day=2))
    assert report.from_day == START
    assert (report.protocol.auc, report.protocol.ap, report.protocol.cp100) == (0.5, 0.5, 0.5)
    assert (report.all_rows.auc, report.all_rows.cp100) == (0.75, 0.5)
    assert report.all_rows.ap == (1 + 2 / 3) / 2
