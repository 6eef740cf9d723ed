"""How many events may go now."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from producers.pace import EventsPerSecond, EventTimeSpeed, Unpaced


def test_without_a_pace_all_go() -> None:
    assert Unpaced().ready(np.arange(7), sent=0, elapsed_s=0) == 7


@given(st.floats(0.1, 1e6), st.floats(0, 1e4), st.integers(0, 1000), st.integers(0, 1000))
def test_a_rate_never_lets_more_go_than_it_says(rate: float, elapsed_s: float, sent: int, waiting: int) -> None:
    ready = EventsPerSecond(rate).ready(np.zeros(waiting, np.int64), sent, elapsed_s)
    assert 0 <= ready <= waiting
    assert ready == 0 or sent + ready <= rate * elapsed_s + 1


@given(st.lists(st.integers(0, 10**9), min_size=1), st.floats(0.1, 1e6), st.floats(0, 1e4))
def test_by_event_time_nothing_goes_early_and_what_is_late_goes_at_once(
    offsets: list[int], speed: float, elapsed_s: float
) -> None:
    times = np.array(offsets) + 1_525_132_800_000
    ready = EventTimeSpeed(speed).ready(times, 0, elapsed_s)
    reached = times[0] + int(elapsed_s * speed * 1000)
    assert (times[:ready] <= reached).all()
    assert ready == len(times) or times[ready] > reached
