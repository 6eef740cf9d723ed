"""A reference supports its budget or refuses."""

import msgspec
import numpy as np
import pytest

from models.drift.reference import DriftReference, DriftReferenceError, build_reference
from models.drift.watch import reference_in
from models.out_of_sample import in_manifest
from tests.unit.models.drift.small_bank import CODES, NAMES, bank_day, joined, reference_rows


def test_it_comes_back_equal_from_a_manifest(reference: DriftReference) -> None:
    plain = msgspec.json.decode(msgspec.json.encode(in_manifest(reference)))
    assert reference_in(plain) == reference


def test_the_same_rows_give_the_same_reference(reference: DriftReference) -> None:
    assert build_reference(reference_rows(), NAMES, CODES, reference.description) == reference


def test_one_week_cannot_support_a_budget() -> None:
    with pytest.raises(DriftReferenceError, match="7 days cannot support"):
        build_reference(reference_rows(weeks=1), NAMES, CODES, "one week")


def test_a_missing_day_is_refused() -> None:
    rows = reference_rows(weeks=2)
    day = rows.event_time // 86_400_000
    with pytest.raises(DriftReferenceError, match="1 days of the drift reference hold no rows"):
        build_reference(rows.take(day != day[0] + 3), NAMES, CODES, "a gap")


def test_too_few_frauds_are_refused() -> None:
    rows = reference_rows(weeks=2)
    few = np.cumsum(rows.is_fraud) <= 20
    with pytest.raises(DriftReferenceError, match="20 frauds cannot support"):
        build_reference(rows.take(few | ~rows.is_fraud), NAMES, CODES, "next to no fraud")


def test_a_shorter_budget_gives_lower_limits(reference: DriftReference) -> None:
    budget = type(reference.budget)(alarm_days=60.0, warning_days=20.0)
    often = build_reference(reference_rows(), NAMES, CODES, "often wrong", budget)
    assert often.misses.limit < reference.misses.limit
    assert often.confirming_limit < reference.confirming_limit


def test_more_days_than_rows_a_day_make_no_difference_to_the_rates() -> None:
    small = build_reference(joined([bank_day(day, rows=900) for day in range(14)]), NAMES, CODES, "small")
    rate = np.array(small.misses.misses)[0].sum() / small.misses.rows
    assert 0.001 < rate < 0.005
