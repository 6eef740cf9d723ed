"""How much of the truth is known, and learning it from what has come."""

import numpy as np
import pytest

from models.metrics.maturity import (
    DEFAULT,
    HANDBOOK,
    CompletenessCurve,
    MaturityError,
    completeness,
    estimate,
    known_share,
)
from models.metrics.scored_rows import ScoredRows
from models.schema.topics import DAY_MS
from tests.unit.models.metrics.scored import scored_rows


def test_in_the_handbooks_world_everything_is_known_on_day_7() -> None:
    rows = scored_rows([0.1] * 4, [0] * 4, day=[100, 101, 102, 103], as_of_day=109)
    # at noon of days 100 and 101 a transaction was more than 7 days ago
    assert completeness(rows, HANDBOOK) == 0.5


def test_by_default_a_tenth_of_the_frauds_waits_for_chargebacks() -> None:
    assert known_share(np.array([30.0]))[0] == pytest.approx(0.9)
    assert known_share(np.array([0.0, 120.0])).tolist() == [0.0, 1.0]
    assert np.all(np.diff(known_share(np.arange(0, 130.0))) >= 0)


def test_no_rows_lack_no_label() -> None:
    assert completeness(scored_rows([], [])) == 1.0


@pytest.mark.parametrize(
    ("days", "known"), [([0, 1], [0, 0.9]), ([1, 0], [0, 1]), ([0, 1, 2], [0.5, 0.4, 1]), ([], [])]
)
def test_a_curve_that_does_not_rise_to_one_is_refused(days, known) -> None:
    with pytest.raises(MaturityError, match="completeness curve"):
        CompletenessCurve(1.0, days, known)


def stated_later(seed: int, as_of_day: int, frauds_a_day: int = 60) -> ScoredRows:
    """40 days of frauds, every second stated within a day, the others evenly over days 1 to 20."""
    random = np.random.default_rng(seed)
    n = 40 * frauds_a_day
    delay = np.where(random.random(n) < 0.5, random.random(n), 1 + 19 * random.random(n))
    rows = scored_rows(np.full(n, 0.6), np.ones(n), day=100 + np.arange(n) // frauds_a_day, as_of_day=as_of_day)
    rows.stated_at[:] = rows.event_time + (delay * DAY_MS).astype(np.int64)
    return rows.take(rows.stated_at <= rows.as_of)


def test_recent_days_do_not_make_the_estimated_curve_too_quick() -> None:
    rows = stated_later(seed=4, as_of_day=140)
    curve = estimate([rows])["chargeback"]
    plain = np.mean(rows.stated_at - rows.event_time <= 5 * DAY_MS)
    expected = 0.5 + 0.5 * 4 / 19
    assert plain > expected + 0.06
    assert curve.at(np.array([1.0, 5.0, 12.0])) == pytest.approx([0.5, expected, 0.5 + 0.5 * 11 / 19], abs=0.03)


def test_frauds_that_are_still_to_come_count_in_a_sources_share() -> None:
    rows = stated_later(seed=5, as_of_day=140)
    assert len(rows) < 2_200
    assert estimate([rows])["chargeback"].share * len(rows) == pytest.approx(2_400, rel=0.04)


def test_a_source_with_few_frauds_keeps_the_curve_it_had() -> None:
    few = scored_rows([0.6] * 49, [1] * 49, delay_days=2)
    assert estimate([few]) == DEFAULT == estimate([])
    enough = scored_rows([0.6] * 50, [1] * 50, delay_days=2)
    assert estimate([enough])["chargeback"].known == [0.0, 0.0, 1.0]
