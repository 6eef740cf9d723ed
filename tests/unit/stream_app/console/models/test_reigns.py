"""Who was champion when, in words and drawn."""

import pytest

from stream_app.console.models.reigns import Reign, reigns, trials
from stream_app.console.models.timeline import MOST_LANES, WIDTH, timeline
from tests.unit.stream_app.console.models.audit_of_a_release import HOUR_MS, NEW, OLD, START_MS, whole_release

NOW_MS = START_MS + 20 * HOUR_MS


@pytest.fixture
def records():
    return whole_release()


def hours(at_ms):
    return None if at_ms is None else (at_ms - START_MS) // HOUR_MS


def test_reigns_follow_one_another_and_the_last_one_lasts(records):
    found = [(one.version, hours(one.from_ms), hours(one.until_ms), one.action, one.actor) for one in reigns(records)]
    assert found == [
        (OLD, 0, 9, "promote", "ada"),
        (NEW, 9, 12, "promote", "release"),
        (OLD, 12, None, "rollback", "release"),
    ]


def test_trials_last_until_the_next_stage_or_the_end_of_the_release(records):
    found = [(one.version, one.stage, hours(one.from_ms), hours(one.until_ms)) for one in trials(records)]
    assert found == [(NEW, "shadow", 6, 7), (NEW, "canary", 7, 10)]
    assert [hours(one.until_ms) for one in trials(records[:8])] == [7, None]


def test_a_drawing_has_a_lane_for_each_version_a_bar_for_each_reign_and_a_mark_for_each_swap(records):
    drawn = timeline(reigns(records), trials(records), NOW_MS)
    assert [lane.version for lane in drawn.lanes] == [OLD, NEW]
    assert sorted(bar.kind for bar in drawn.bars) == ["canary", "champion", "champion", "champion", "shadow"]
    assert [mark.kind for mark in drawn.marks] == ["promote", "promote", "rollback"]
    assert max(bar.x + bar.width for bar in drawn.bars) == pytest.approx(WIDTH - 16)
    assert all(0 <= tick.x <= WIDTH for tick in drawn.ticks)
    assert drawn.summary == f"{OLD} is champion since 2025-11-25 00:00 UTC. 2 versions in 3 reigns, 1 roll-back."


def test_what_is_in_canary_now_is_said_and_drawn_up_to_now(records):
    drawn = timeline(reigns(records[:8]), trials(records[:8]), NOW_MS)
    assert f"{NEW} is in canary beside it." in drawn.summary
    canary = next(bar for bar in drawn.bars if bar.kind == "canary")
    assert canary.x + canary.width == pytest.approx(WIDTH - 16, abs=0.2)


def test_only_the_latest_versions_have_a_lane_and_the_others_are_counted():
    many = [
        Reign(f"m-{n}", START_MS + n * HOUR_MS, START_MS + (n + 1) * HOUR_MS, "promote", "ada", None, "x", n + 1)
        for n in range(MOST_LANES + 3)
    ]
    drawn = timeline(many, [], NOW_MS)
    assert [lane.version for lane in drawn.lanes] == [f"m-{n}" for n in range(3, MOST_LANES + 3)]
    assert drawn.left_out == 3
    assert 2 <= len(drawn.ticks) <= 7


def test_before_the_first_champion_there_is_a_drawing_of_nothing():
    drawn = timeline([], [], NOW_MS)
    assert (drawn.lanes, drawn.bars, drawn.left_out) == ((), (), 0)
    assert drawn.summary == "No version has been champion yet."


def test_a_champion_of_this_moment_is_drawn_as_well(records):
    drawn = timeline(reigns(records[:1]), [], START_MS)
    assert drawn.bars[0].width >= 2
