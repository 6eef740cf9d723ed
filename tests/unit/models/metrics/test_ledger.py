"""Which weeks are published, when, and what restates them."""

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest

from models.features.history import NO_LABEL
from models.metrics.calibration import CalibrationMap
from models.metrics.ledger import LedgerState, PerformanceLedger
from models.metrics.ledger_settings import LedgerError, LedgerSettings
from models.metrics.maturity import HANDBOOK
from models.metrics.scored_rows import ScoredRows
from models.schema import wire
from models.schema.performance import Performance
from models.schema.topics import DAY_MS
from tests.unit.models.metrics.scored import scored_rows

START = 17_703  # an event day of June 2018, no multiple of 7
TABLES = {"scores": 3, "labels": 8}


class Archive:
    """40 rows a day, the first of them a fraud that is stated some days later; version m-2 from `swap_day` on."""

    def __init__(self, swap_day: int = START + 1_000) -> None:
        self.swap_day = swap_day
        self.delay_days: dict[int, float] = {}
        self.loads: list[tuple[int, int]] = []

    def load(self, from_day: int, to_day: int, as_of_ms: int) -> list[ScoredRows]:
        """Rows by version as they are known at a moment."""
        self.loads.append((from_day, to_day))
        days = range(max(from_day, START), to_day)
        parts = {
            "m-1": [day for day in days if day < self.swap_day],
            "m-2": [day for day in days if day >= self.swap_day],
        }
        return [self._rows(version, mine, as_of_ms) for version, mine in parts.items() if mine]

    def _rows(self, version: str, days: list[int], as_of_ms: int) -> ScoredRows:
        day = np.repeat(days, 40)
        fraud = np.arange(len(day)) % 40 == 0
        score = np.where(np.arange(len(day)) % 40 < 2, 0.6, 0.1)
        rows = scored_rows(score, fraud, day=day, version=version, as_of_day=as_of_ms // DAY_MS)
        delays = np.array([self.delay_days.get(each, 3.0) for each in day])
        stated_at = rows.event_time + (delays * DAY_MS).astype(np.int64)
        known = fraud & (stated_at <= as_of_ms)
        rows.is_fraud[:] = known
        rows.stated_at[:] = np.where(known, stated_at, NO_LABEL)
        return rows


def settings(**changes: Any) -> LedgerSettings:
    return LedgerSettings(**{"anchor_day": START, "resamples": 20, "curves": HANDBOOK, **changes})


def close(ledger: PerformanceLedger, archive: Archive, days: range, changed=()) -> dict[int, list[Performance]]:
    """What each close publishes, by day; a close that publishes nothing is left out."""
    closed = {day: ledger.close_day(day, archive.load, changed, TABLES) for day in days}
    return {day: records for day, records in closed.items() if records}


def test_a_week_is_published_at_the_close_of_the_day_on_which_its_last_day_is_mature() -> None:
    published = close(PerformanceLedger(settings()), Archive(), range(START, START + 28))
    assert {day - START: [record.week for record in records] for day, records in published.items()} == {
        13: [0],
        20: [1],
        27: [2],
    }
    first = published[START + 13][0]
    assert (first.from_day, first.to_day, first.as_of) == (START, START + 7, (START + 14) * DAY_MS)
    assert (first.rows, first.counted_rows, first.frauds, first.alerts) == (280, 280, 7, 14)
    assert (first.state, first.revision, first.restates, first.tables) == ("mature", 1, None, TABLES)
    assert (first.figures.precision.value, first.figures.recall.value, first.maturity) == (0.5, 1.0, 1.0)


def test_a_chargeback_on_day_45_restates_its_week_and_both_figures_are_kept() -> None:
    archive, ledger = Archive(), PerformanceLedger(settings())
    archive.delay_days[START + 2] = 45.0
    first = close(ledger, archive, range(START, START + 47))[START + 13][0]
    restated = close(ledger, archive, range(START + 47, START + 48), changed={START + 2})[START + 47]
    assert [(record.week, record.state, record.revision) for record in restated] == [(0, "restated", 2)]
    assert restated[0].restates == first.event_id != restated[0].event_id
    assert (first.frauds, restated[0].frauds) == (6, 7)
    assert first.figures.precision.value == pytest.approx(6 / 14)
    assert restated[0].figures.precision.value == 0.5


def test_a_statement_that_repeats_what_was_known_restates_nothing() -> None:
    archive, ledger = Archive(), PerformanceLedger(settings())
    close(ledger, archive, range(START, START + 21))
    archive.loads.clear()
    assert close(ledger, archive, range(START + 21, START + 22), changed={START, START + 8}) == {}
    assert archive.loads == [(START, START + 7), (START + 7, START + 14)]


def test_a_week_that_is_not_mature_is_not_restated_by_its_labels() -> None:
    archive, ledger = Archive(), PerformanceLedger(settings())
    assert close(ledger, archive, range(START, START + 13), changed={START, START + 1}) == {}
    assert all(to_day <= START for _, to_day in archive.loads)


def test_provisional_weeks_count_mature_days_only_and_say_how_much_is_known() -> None:
    ledger = PerformanceLedger(settings(provisional=True))
    published = close(ledger, Archive(), range(START, START + 14))
    records = [record for found in published.values() for record in found if record.week == 0]
    assert [record.revision for record in records] == list(range(1, 15))
    assert [record.state for record in records] == ["provisional"] * 13 + ["mature"]
    assert [record.counted_rows for record in records] == [0] * 7 + [40 * days for days in range(1, 8)]
    assert [record.rows for record in records[:7]] == [40 * days for days in range(1, 8)]
    assert all(later.restates == earlier.event_id for earlier, later in pairwise(records))
    assert 0.0 == records[0].maturity < records[8].maturity < records[-1].maturity == 1.0
    # statements come after 3 days, yet no young alert counts as right
    assert records[5].figures.precision.value is None


def test_what_is_not_mature_is_estimated_from_scores() -> None:
    calibration = CalibrationMap([0.0, 0.5, 1.0], [0.0, 0.0, 1.0])
    ledger = PerformanceLedger(settings(provisional=True, calibration_of=lambda _: calibration))
    published = close(ledger, Archive(), range(START, START + 14))
    young = published[START + 6][0].estimated
    assert young is not None
    assert (young.rows, young.alerts, young.recall) == (280, 14, 1.0)
    assert young.precision == pytest.approx(0.2)
    assert published[START + 13][0].estimated is None


def test_each_version_of_a_week_has_its_own_record() -> None:
    records = close(PerformanceLedger(settings()), Archive(swap_day=START + 3), range(START, START + 14))[START + 13]
    assert [(record.model_version, record.rows) for record in records] == [("m-1", 120), ("m-2", 160)]
    assert len({record.event_id for record in records}) == 2


def test_closing_a_day_again_gives_the_same_records() -> None:
    archive, ledger = Archive(), PerformanceLedger(settings(provisional=True))
    archive.delay_days[START + 2] = 12.0
    close(ledger, archive, range(START, START + 14))
    first = ledger.close_day(START + 14, archive.load, {START + 2}, TABLES)
    assert [record.state for record in first] == ["restated", "provisional", "provisional"]
    assert ledger.close_day(START + 14, archive.load, {START + 2}, TABLES) == first


def test_a_ledger_that_reads_its_own_records_goes_on_as_if_nothing_had_happened() -> None:
    archive, undisturbed = Archive(), PerformanceLedger(settings(provisional=True))
    before = [
        record for records in close(undisturbed, archive, range(START, START + 21)).values() for record in records
    ]
    for lost in (0, 1):  # the last record of the last close may not have been published
        recalled = PerformanceLedger(settings(provisional=True))
        recalled.recall(before[: len(before) - lost])
        assert recalled.close_day(START + 20, archive.load, (), TABLES) == before[-len(recalled_week(before)) :]
    assert close(recalled, archive, range(START + 21, START + 40)) == close(
        undisturbed, archive, range(START + 21, START + 40)
    )


def recalled_week(records: list[Performance]) -> list[Performance]:
    """Those of the last close."""
    return [record for record in records if record.as_of == records[-1].as_of]


def test_the_state_survives_being_written_down() -> None:
    archive, ledger = Archive(), PerformanceLedger(settings())
    close(ledger, archive, range(START, START + 15))
    state = msgspec.json.decode(msgspec.json.encode(ledger.state), type=LedgerState)
    again = PerformanceLedger(settings(), state)
    assert close(again, archive, range(START + 15, START + 22)) == close(ledger, archive, range(START + 15, START + 22))


def test_restating_may_wait_for_the_weekday_on_which_the_week_matured() -> None:
    archive, ledger = Archive(), PerformanceLedger(settings(restate_every_days=7))
    archive.delay_days[START + 2] = 14.0
    close(ledger, archive, range(START, START + 16))
    published = close(ledger, archive, range(START + 16, START + 17), changed={START + 2})
    published |= close(ledger, archive, range(START + 17, START + 27))
    assert {day - START: [(r.week, r.state) for r in records] for day, records in published.items()} == {
        20: [(0, "restated"), (1, "mature")]
    }


def test_a_ledger_that_starts_late_publishes_the_weeks_that_mature_from_then_on() -> None:
    published = close(PerformanceLedger(settings()), Archive(), range(START + 30, START + 42))
    assert [record.week for records in published.values() for record in records] == [3, 4]


def test_days_are_closed_in_order() -> None:
    ledger = PerformanceLedger(settings())
    ledger.close_day(START + 5, Archive().load)
    with pytest.raises(LedgerError, match="close days in order"):
        ledger.close_day(START + 4, Archive().load)


def test_weeks_are_counted_from_the_anchor() -> None:
    anchored = settings(anchor_day=77)
    assert [anchored.week_of(day) for day in (76, 77, 83, 84)] == [-1, 0, 0, 1]
    assert LedgerSettings().week_of(15) == 2


def test_a_record_survives_the_wire() -> None:
    record = close(PerformanceLedger(settings()), Archive(), range(START, START + 14))[START + 13][0]
    assert wire.decode(Performance, wire.encode(record)) == record
