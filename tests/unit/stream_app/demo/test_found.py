"""How soon the new tactic was found."""

import pytest

from models.schema.drift_event import DriftEvent, DriftLevel
from models.schema.topics import DAY_MS
from stream_app.demo.found import DriftFound, RollBack, Tactic
from tests.unit.stream_app.demo.model_events import model_event

FIRST_DAY = 20_089
TACTIC = Tactic(FIRST_DAY, day=81, payments=1_500, flagged=135, payments_after=0, flagged_after=0, last_day=111)


def found(day: int, level: DriftLevel = "alarm") -> DriftFound:
    return DriftFound(day, level, "performance", "channel", "the model misses more fraud")


def test_the_first_alarm_since_the_tactic_began_counts() -> None:
    when, how = TACTIC.in_words([found(80), found(85, "warning"), found(90), found(95)])
    assert when == "2025-04-01"
    assert how.startswith(
        "9 event days after the tactic began, 1 after the first moment at which labels can tell. The model"
    )


@pytest.mark.parametrize(
    ("last_day", "said"),
    [(85, "labels can tell from 2025-03-31 on; the run ended on 2025-03-27"), (111, "though labels could tell")],
)
def test_without_an_alarm_it_says_why(last_day: int, said: str) -> None:
    tactic = Tactic(
        FIRST_DAY, day=81, payments=1_500, flagged=135, payments_after=0, flagged_after=0, last_day=last_day
    )
    when, how = tactic.in_words([found(80), found(90, "warning")])
    assert when == "none"
    assert said in how


def test_days_are_counted_from_the_banks_first() -> None:
    event = DriftEvent(
        model_version="m-1",
        as_of=0,
        day=FIRST_DAY + 90,
        level="alarm",
        kind="performance",
        feature="channel",
        since=0,
        window_days=1,
        summary="the model misses more fraud",
        evidence=[],
        incident="i-1",
        reference="4 weeks",
        table_versions={},
    )
    assert DriftFound.of(event, FIRST_DAY) == found(90)


def test_a_roll_back_names_the_bad_model_and_what_it_cost() -> None:
    event = model_event("rolled back", as_of=(FIRST_DAY + 106) * DAY_MS + 5)
    assert RollBack.of(event, FIRST_DAY, 1.234, 300) == RollBack("m-1", "m-2", "upside down", 106, 1.23, 300)
