"""When the traffic flows, and how fast: one phase after the other, each begun by a signal."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from producers.pace import EventsPerSecond, Times, Unpaced

WARM_UP, LIVE, RELEASE, BAD, BURST, STAY, SENT = range(7)
"""The phases of a demo, in order; the last, which has no end, only where it is to stay. SENT is the signal that the
sender gives when all has been sent."""


class Phase(NamedTuple):
    """So many events, at a rate a second or, without one, at full speed."""

    events: int
    rate: float | None


class Signals:
    """Signals from one process to another: files in a folder both know."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def give(self, phase: int) -> None:
        """Let a phase begin."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"phase-{phase}").touch()

    def given(self, phase: int) -> bool:
        """Whether a phase may begin."""
        return (self._folder / f"phase-{phase}").exists()


class PhasedPace:
    """A pace that changes from phase to phase.

    Parameters
    ----------
    phases
        One after the other.
    may_begin
        Asked with the phase's number until it says yes.

    Examples
    --------
    >>> import numpy as np
    >>> pace = PhasedPace([Phase(3, None), Phase(100, 10.0)], lambda phase: True)
    >>> upcoming = np.zeros(50, np.int64)
    >>> pace.ready(upcoming, sent=0, elapsed_s=0.0), pace.ready(upcoming, sent=3, elapsed_s=9.0)
    (3, 1)
    >>> pace.ready(upcoming, sent=4, elapsed_s=10.0)
    10
    """

    def __init__(self, phases: Sequence[Phase], may_begin: Callable[[int], bool]) -> None:
        self._phases = phases
        self._may_begin = may_begin
        self._current = -1
        self._begun = (0, 0.0)
        self._ends_at = 0

    def ready(self, times: Times, sent: int, elapsed_s: float) -> int:
        """Return how many of the next events may go; none before the phase's signal, and none behind the last phase."""
        if sent >= self._ends_at and not self._begin(sent, elapsed_s):
            return 0
        rate = self._phases[self._current].rate
        pace = Unpaced() if rate is None else EventsPerSecond(rate)
        events, at_s = self._begun
        return min(self._ends_at - sent, pace.ready(times, sent - events, elapsed_s - at_s))

    def _begin(self, sent: int, elapsed_s: float) -> bool:
        upcoming = self._current + 1
        if upcoming == len(self._phases) or not self._may_begin(upcoming):
            return False
        self._current, self._begun = upcoming, (sent, elapsed_s)
        self._ends_at += self._phases[upcoming].events
        return True
