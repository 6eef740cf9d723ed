"""When a step closes: by a tick, by the slowest partition, and not by a few events far ahead."""

import numpy as np
import numpy.typing as npt
import pytest

from models.schema.clock_tick import ClockTick
from stream_app.event_clock import MOST_STEPS_IN_A_ROW, RECENT_ROWS, EventClock, InputPositions

STEP = 1000
NOWHERE = InputPositions({}, {})


def rows(until: int, count: int = RECENT_ROWS) -> npt.NDArray[np.int64]:
    """Rows whose median is `until`."""
    return np.full(count, until, np.int64)


def clock(partitions: int = 2, last_step: int = 0) -> EventClock:
    """A clock that has closed a step, so that the next one is due after it."""
    made = EventClock(STEP, partitions, idle_after_s=10)
    made.last_step = last_step
    return made


def tick(as_of: int, transactions: dict[int, int] | None = None, labels: dict[int, int] | None = None) -> ClockTick:
    """A tick with what must have been counted."""
    return ClockTick(as_of=as_of, transactions_end=transactions or {}, labels_end=labels or {})


def test_a_step_closes_when_a_tick_is_read_and_its_positions_are_reached() -> None:
    told = clock(last_step=STEP)
    told.see_tick(tick(2 * STEP, {0: 5, 1: 7}, {0: 1}))
    assert told.due_steps(InputPositions({0: 5, 1: 6}, {0: 1})) == []
    assert told.waiting_for(InputPositions({0: 5, 1: 6}, {0: 1})) == ["transactions 1 at 6 of 7"]
    assert told.due_steps(InputPositions({0: 5, 1: 7}, {})) == []
    assert told.due_steps(InputPositions({0: 5, 1: 9}, {0: 1})) == [2 * STEP]


def test_an_open_tick_keeps_the_slowest_partition_from_closing_its_step() -> None:
    told = clock(partitions=1, last_step=STEP)
    told.see_tick(tick(2 * STEP, {0: 100}))
    told.see_rows(0, rows(5 * STEP), now_s=0)
    assert told.due_steps(InputPositions({0: 99}, {})) == []


def test_without_ticks_a_step_closes_once_every_partition_has_come_to_it() -> None:
    seen = clock(last_step=STEP)
    seen.see_rows(0, rows(3 * STEP), now_s=0)
    assert seen.due_steps(NOWHERE) == []
    seen.see_rows(1, rows(2 * STEP + 1), now_s=0)
    assert seen.due_steps(NOWHERE) == [2 * STEP]


@pytest.mark.parametrize("far_ahead", [1, RECENT_ROWS // 2])
def test_a_few_events_far_ahead_do_not_close_a_step(far_ahead: int) -> None:
    seen = clock(partitions=1, last_step=STEP)
    seen.see_rows(0, rows(STEP + 1), now_s=0)
    seen.see_rows(0, rows(100 * STEP, far_ahead), now_s=0)
    assert seen.due_steps(NOWHERE) == []


def test_a_partition_that_has_brought_too_few_rows_has_no_time_yet() -> None:
    seen = clock(partitions=1, last_step=STEP)
    seen.see_rows(0, rows(5 * STEP, RECENT_ROWS - 1), now_s=0)
    assert seen.due_steps(NOWHERE) == []


def test_a_late_event_does_not_take_the_clock_back() -> None:
    seen = clock(partitions=1, last_step=STEP)
    seen.see_rows(0, rows(2 * STEP), now_s=0)
    seen.see_rows(0, rows(STEP), now_s=0)
    assert seen.slowest_time() == 2 * STEP


def test_an_idle_partition_no_longer_holds_the_clock_back() -> None:
    seen = clock(last_step=STEP)
    seen.see_rows(1, rows(STEP), now_s=0)
    seen.see_rows(0, rows(2 * STEP), now_s=1)
    seen.see_rows(0, rows(2 * STEP), now_s=10)
    assert seen.due_steps(NOWHERE) == []
    seen.see_rows(0, rows(2 * STEP), now_s=11)
    assert seen.due_steps(NOWHERE) == [2 * STEP]


def test_a_pause_of_all_partitions_makes_none_of_them_idle() -> None:
    seen = clock(last_step=STEP)
    seen.see_rows(0, rows(STEP), now_s=0)
    seen.see_rows(1, rows(STEP), now_s=0)
    seen.see_rows(1, rows(STEP), now_s=0.1)
    seen.see_rows(0, rows(2 * STEP), now_s=500)
    assert seen.due_steps(NOWHERE) == []


def test_the_first_step_ever_is_the_last_one_over_not_each_since_1970() -> None:
    seen = clock(partitions=1)
    seen.see_rows(0, rows(1_500 * STEP + 3), now_s=0)
    assert seen.due_steps(NOWHERE) == [1_500 * STEP]


def test_steps_in_a_gap_close_in_order_and_far_behind_only_the_last() -> None:
    told = clock(last_step=STEP)
    told.see_tick(tick(4 * STEP))
    assert told.due_steps(NOWHERE) == [2 * STEP, 3 * STEP, 4 * STEP]
    told.see_tick(tick((MOST_STEPS_IN_A_ROW + 2) * STEP))
    assert told.due_steps(NOWHERE) == [(MOST_STEPS_IN_A_ROW + 2) * STEP]


def test_a_step_closes_once() -> None:
    told = clock(last_step=STEP)
    told.see_tick(tick(2 * STEP))
    told.close(2 * STEP)
    told.see_tick(tick(2 * STEP))
    assert told.due_steps(NOWHERE) == []


def test_a_restored_clock_goes_on_as_the_one_that_was_saved() -> None:
    saved, restored = clock(last_step=STEP), clock()
    saved.see_rows(0, rows(2 * STEP, RECENT_ROWS + 5), now_s=0)
    saved.see_rows(1, rows(2 * STEP, 7), now_s=0)
    saved.see_tick(tick(3 * STEP, {0: 50}))
    restored.restore(saved.snapshot(), saved.last_step, list(saved.open_ticks))
    for one in (saved, restored):
        one.see_rows(1, rows(2 * STEP, RECENT_ROWS - 7), now_s=1)
    assert restored.slowest_time() == saved.slowest_time() == 2 * STEP
    assert (
        restored.due_steps(InputPositions({0: 50}, {}))
        == saved.due_steps(InputPositions({0: 50}, {}))
        == [2 * STEP, 3 * STEP]
    )
