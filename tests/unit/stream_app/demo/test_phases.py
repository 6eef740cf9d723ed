"""When the traffic of a demo flows."""

from pathlib import Path

import numpy as np

from stream_app.demo.phases import BURST, LIVE, Phase, PhasedPace, Signals

UPCOMING = np.zeros(1000, np.int64)


def test_nothing_goes_before_a_phases_signal() -> None:
    begun: set[int] = set()
    pace = PhasedPace([Phase(10, None), Phase(10, None)], begun.__contains__)
    assert pace.ready(UPCOMING, sent=0, elapsed_s=0.0) == 0
    begun.add(0)
    assert pace.ready(UPCOMING, sent=0, elapsed_s=1.0) == 10
    assert pace.ready(UPCOMING, sent=10, elapsed_s=2.0) == 0
    begun.add(1)
    assert pace.ready(UPCOMING, sent=10, elapsed_s=3.0) == 10


def test_a_rate_counts_from_the_phases_beginning_not_from_the_first_event() -> None:
    pace = PhasedPace([Phase(500, None), Phase(500, 100.0)], lambda _: True)
    pace.ready(UPCOMING, sent=0, elapsed_s=0.0)
    assert pace.ready(UPCOMING, sent=500, elapsed_s=60.0) == 1
    assert pace.ready(UPCOMING, sent=501, elapsed_s=61.0) == 100


def test_nothing_goes_behind_the_last_phase() -> None:
    pace = PhasedPace([Phase(10, None)], lambda _: True)
    pace.ready(UPCOMING, sent=0, elapsed_s=0.0)
    assert pace.ready(UPCOMING, sent=10, elapsed_s=1.0) == 0


def test_a_signal_reaches_whoever_knows_the_folder(tmp_path: Path) -> None:
    given, seen = Signals(tmp_path / "sender"), Signals(tmp_path / "sender")
    given.give(LIVE)
    assert seen.given(LIVE)
    assert not seen.given(BURST)
