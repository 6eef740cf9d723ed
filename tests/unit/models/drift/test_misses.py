"""Misses are counted once for each cluster, and only more than usual is found."""

import numpy as np
import pytest

from models.drift.calibration import limit_with_episodes
from models.drift.day_counts import Misses, miss_counts
from models.drift.misses import MissTest, miss_unit
from models.drift.reference import DriftReference
from tests.unit.models.drift.small_bank import FIRST_DAY, NAMES, bank_day


def weights(card: list[int], terminal: list[int]) -> np.ndarray:
    rows = len(card)
    cells, losses = np.zeros((rows, 1), np.uint8), np.ones(rows)
    return Misses.of(cells, losses, np.array(card, np.uint64), np.array(terminal, np.uint64)).weight


@pytest.mark.parametrize(
    ("card", "terminal", "expected"),
    [
        ([1, 2, 3], [1, 2, 3], [1, 1, 1]),
        ([1, 1, 1], [1, 2, 3], [1 / 3, 1 / 3, 1 / 3]),
        ([1, 2, 3, 4], [9, 9, 9, 9], [0.25] * 4),
        ([1, 1, 2], [5, 6, 6], [0.5, 0.5, 0.5]),
    ],
)
def test_a_cluster_shares_one_weight(card: list[int], terminal: list[int], expected: list[float]) -> None:
    assert weights(card, terminal) == pytest.approx(expected)


def test_every_column_counts_all_misses(reference: DriftReference) -> None:
    counts = miss_counts(reference.bins, bank_day(FIRST_DAY))
    assert counts.misses.sum(axis=1) == pytest.approx(np.full(len(NAMES) + 1, counts.misses[0].sum()))
    assert 0 < miss_unit(counts.misses, counts.squares) <= 1


def test_misses_of_the_same_kind_of_day_are_nothing_new(reference: DriftReference) -> None:
    test = MissTest(reference.misses)
    assert [test.observe(miss_counts(reference.bins, bank_day(FIRST_DAY + at))) for at in range(60)] == [[]] * 60


def test_new_misses_in_a_cell_are_found_and_named(reference: DriftReference) -> None:
    test = MissTest(reference.misses)
    for at in range(10):
        test.observe(miss_counts(reference.bins, bank_day(FIRST_DAY + at)))
    days = range(10, 14)
    found = next(
        (at, findings)
        for at in days
        if (findings := test.observe(miss_counts(reference.bins, bank_day(FIRST_DAY + at, missed_in_channel_3=12))))
    )
    at, findings = found
    assert at <= 11
    assert reference.bins.columns[findings[0].column].name == "channel"
    assert findings[0].since_days == at - 9
    assert findings[0].observed > 2 * findings[0].expected


def test_many_misses_at_a_single_terminal_are_one_campaign_and_no_new_tactic(reference: DriftReference) -> None:
    test = MissTest(reference.misses)
    days = [bank_day(FIRST_DAY + at, missed_in_channel_3=12, one_terminal=True) for at in range(7)]
    assert [test.observe(miss_counts(reference.bins, day)) for day in days] == [[]] * 7


def test_a_limit_is_passed_as_often_as_it_may() -> None:
    random = np.random.default_rng(1)
    highest = random.gumbel(size=7_300)
    limit = limit_with_episodes(highest, 10)
    beyond = np.flatnonzero(highest >= limit)
    assert 1 + np.sum(np.diff(beyond) > 7) == 10
