"""How fast records are sent: as fast as possible, so many a second, or by their event times."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]


class Pace(Protocol):
    """Says how many of the next events may go now."""

    def ready(self, times: Times, sent: int, elapsed_s: float) -> int:
        """Return how many of the events may go.

        Parameters
        ----------
        times: event times of the next events, ms.
        sent: events sent so far.
        elapsed_s: time since the first.
        """
        ...


class Unpaced:
    """As fast as possible."""

    def ready(self, times: Times, sent: int, elapsed_s: float) -> int:  # this pace asks for nothing
        """Return all."""
        return len(times)


class EventsPerSecond:
    """A constant rate.

    Examples
    --------
    >>> EventsPerSecond(10).ready(np.zeros(100, np.int64), sent=5, elapsed_s=1.0)
    6
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def ready(self, times: Times, sent: int, elapsed_s: float) -> int:
        """Return what the rate allows until now; the first event goes at once."""
        return max(0, min(len(times), int(elapsed_s * self._rate) + 1 - sent))


class EventTimeSpeed:
    """So many event seconds a second, from the first event on.

    Examples
    --------
    >>> hour = EventTimeSpeed(3600)
    >>> hour.ready(np.array([0, 1_800_000, 3_600_000]), sent=0, elapsed_s=0.5)
    2
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._first_ms: int | None = None

    def ready(self, times: Times, sent: int, elapsed_s: float) -> int:  # a rate is not asked for
        """Return the events up to the event time reached; one that is late goes at once."""
        if self._first_ms is None and len(times):
            self._first_ms = int(times[0])
        reached_ms = (self._first_ms or 0) + int(elapsed_s * self._speed * 1000)
        too_early = times > reached_ms
        return int(too_early.argmax()) if too_early.any() else len(times)
