"""What comes is held against what used to come, before any label."""

import numpy as np
import pytest

from models.drift.day_counts import population_counts
from models.drift.population import PopulationTest, stability_parts
from models.drift.reference import DriftReference
from tests.unit.models.drift.small_bank import FIRST_DAY, ROWS_A_DAY, bank_day


def findings(reference: DriftReference, **change):
    test = PopulationTest(reference.population)
    found = []
    for day in range(FIRST_DAY, FIRST_DAY + 14):
        found += test.observe(day, population_counts(reference.bins, bank_day(day, **change)))
    return found


def names(reference: DriftReference, found) -> set[tuple[str, str]]:
    return {(one.kind, "volume" if one.column < 0 else reference.column_name(one.column)) for one in found}


def test_the_same_kind_of_days_are_nothing_new(reference: DriftReference) -> None:
    assert findings(reference) == []


def test_a_shifted_feature_is_found_and_no_other(reference: DriftReference) -> None:
    assert names(reference, findings(reference, amount_factor=2.0)) == {("population", "amount")}


def test_shifted_scores_are_found(reference: DriftReference) -> None:
    assert ("score", "score") in names(reference, findings(reference, score_factor=0.4))


def test_half_the_transactions_are_found_on_the_first_day(reference: DriftReference) -> None:
    test = PopulationTest(reference.population)
    (found,) = test.observe(FIRST_DAY, population_counts(reference.bins, bank_day(FIRST_DAY, rows=ROWS_A_DAY // 2)))
    assert (found.kind, found.observed) == ("volume", ROWS_A_DAY // 2)


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "missing"), (999.0, "category")])
def test_gaps_and_codes_never_seen_are_found_on_the_first_day(
    reference: DriftReference, value: float, kind: str
) -> None:
    day = bank_day(FIRST_DAY)
    day.values[:100, 3] = value
    test = PopulationTest(reference.population)
    (found,) = test.observe(FIRST_DAY, population_counts(reference.bins, day))
    assert (found.kind, reference.column_name(found.column)) == (kind, "country")


def test_the_index_is_zero_for_equal_shares_and_known_for_others() -> None:
    shares = np.array([[0.5, 0.5]])
    assert stability_parts(shares, np.array([[10.0, 10.0]])).sum() == pytest.approx(0.0)
    expected = 0.2 * np.log(0.7 / 0.5) - 0.2 * np.log(0.3 / 0.5)
    assert stability_parts(shares, np.array([[7.0, 3.0]])).sum() == pytest.approx(expected, rel=1e-3)
