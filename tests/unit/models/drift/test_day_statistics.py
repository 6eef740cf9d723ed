"""What the warning tests computed, day by day, found or not."""

from itertools import pairwise

import numpy as np
import pytest

from models.drift.day_counts import SCORE
from models.drift.population import WINDOW_DAYS
from models.drift.reference import DriftReference
from models.drift.watch import ClosedDay, DriftWatch
from models.metrics.estimated import estimate
from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.topics import DAY_MS
from tests.unit.models.drift.small_bank import FIRST_DAY, NAMES, ROWS_A_DAY, bank_day

CHANGE = FIRST_DAY + 10
DAYS = 20


def played(day: int):
    """Amounts double from CHANGE on; a tenth of the countries is missing on one day and strange on the next."""
    rows = bank_day(day, amount_factor=2.0 if day >= CHANGE else 1.0)
    if day == CHANGE:
        rows.values[: ROWS_A_DAY // 10, 3] = np.nan
    if day == CHANGE + 1:
        rows.values[: ROWS_A_DAY // 10, 3] = 999
    return rows


@pytest.fixture(scope="module")
def closed(reference: DriftReference) -> tuple[list[DriftStatistics], list[DriftEvent]]:
    watch = DriftWatch({"m-1": reference}.get)
    found = [watch.close_day(ClosedDay(day, [played(day)], [])) for day in range(FIRST_DAY, FIRST_DAY + DAYS)]
    return [one for day in found for one in day.statistics], [one for day in found for one in day.events]


def test_each_closed_day_has_its_record_and_each_feature_its_place(
    closed: tuple[list[DriftStatistics], list[DriftEvent]],
) -> None:
    records, _ = closed
    assert [one.event_day for one in records] == list(range(FIRST_DAY, FIRST_DAY + DAYS))
    assert all(one.as_of == (one.event_day + 1) * DAY_MS for one in records)
    assert {tuple(feature.feature for feature in one.features) for one in records} == {(*NAMES, SCORE)}


def test_a_window_that_is_not_full_has_no_index_and_no_estimate(
    closed: tuple[list[DriftStatistics], list[DriftEvent]],
) -> None:
    records, _ = closed
    young, full = records[: WINDOW_DAYS - 1], records[WINDOW_DAYS - 1 :]
    assert [one.window_days for one in young] == list(range(1, WINDOW_DAYS))
    assert all(one.features[0].stability_index is None for one in young)
    assert all(one.estimated.average_precision is None for one in young)
    assert all(feature.stability_index is not None for one in full for feature in one.features)
    assert all(one.estimated.average_precision is not None for one in full)


def test_a_shift_grows_as_its_days_fill_the_window_and_warns_where_it_passes_its_limit(
    closed: tuple[list[DriftStatistics], list[DriftEvent]],
) -> None:
    records, events = closed
    amounts = {one.event_day: one.features[0] for one in records}
    index = {day: one.stability_index for day, one in amounts.items() if one.stability_index is not None}
    filling = [index[day] for day in range(CHANGE - 1, CHANGE + WINDOW_DAYS)]
    assert all(later > earlier for earlier, later in pairwise(filling))
    beyond = [day for day, value in index.items() if value >= amounts[day].stability_limit]
    warned = [event for event in events if event.feature == "amount"]
    assert [event.day - 1 for event in warned] == [beyond[0]]
    evidence = warned[0].evidence[0]
    assert (evidence.statistic, evidence.limit) == (index[beyond[0]], amounts[beyond[0]].stability_limit)


def test_gaps_and_strange_codes_stand_beside_the_limits_that_they_passed(
    closed: tuple[list[DriftStatistics], list[DriftEvent]],
) -> None:
    records, _ = closed
    of_day = {one.event_day: one for one in records}
    before, gaps, strange = (of_day[day].features[3] for day in (CHANGE - 1, CHANGE, CHANGE + 1))
    assert (before.missing_share, before.unseen_rows) == (0.0, 0)
    assert gaps.missing_share == pytest.approx(0.1)
    assert gaps.missing_share > gaps.missing_limit
    assert strange.unseen_rows == ROWS_A_DAY // 10 > of_day[CHANGE + 1].unseen_limit


def test_what_the_scores_promise_is_what_the_metrics_estimate(
    reference: DriftReference, closed: tuple[list[DriftStatistics], list[DriftEvent]]
) -> None:
    records, _ = closed
    whole = estimate(played(FIRST_DAY), reference.calibration)
    first = records[0].estimated
    assert (first.frauds, first.frauds_flagged) == pytest.approx((whole.frauds, whole.frauds_flagged))
    assert records[0].alerts == whole.alerts


def test_versions_that_share_a_day_have_a_record_each_and_one_without_a_reference_none(
    reference: DriftReference,
) -> None:
    watch = DriftWatch({"m-1": reference, "m-2": reference}.get)
    rows = [bank_day(FIRST_DAY, version=version) for version in ("m-1", "m-2", "m-3")]
    found = watch.close_day(ClosedDay(FIRST_DAY, rows, [], {"scores": 7}))
    assert [one.model_version for one in found.statistics] == ["m-1", "m-2"]
    assert all(one.table_versions == {"scores": 7} for one in found.statistics)
