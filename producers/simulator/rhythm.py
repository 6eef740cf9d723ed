"""When people pay: hours of the day by kind of person, and days of the week."""

import numpy as np

from producers.simulator.settings import DAY_MS

# Weight of each local hour, midnight first; rows are day, working, evening and night people.
_WEEKDAY_HOURS = (
    (.2, .1, .1, .1, .1, .3, .8, 2.0, 4.0, 6.5, 8.0, 7.5, 6.5, 5.5, 5.5, 6.0, 6.5, 6.0, 4.5, 3.0, 2.0, 1.2, .7, .4),
    (.2, .1, .1, .1, .2, .8, 2.5, 4.5, 3.5, 2.0, 2.0, 3.5, 7.0, 4.5, 2.2, 2.5, 4.5, 8.0, 8.0, 5.5, 3.5, 2.2, 1.2, .5),
    (.9, .5, .2, .1, .1, .2, .5, 1.0, 2.0, 3.0, 3.5, 4.0, 5.0, 4.5, 4.0, 4.5, 5.5, 6.5, 7.5, 7.5, 6.5, 5.0, 3.5, 2.0),
    (4.5, 4, 3.5, 2.8, 2, 1.5, 1.2, 1, 1, 1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 6, 5.5),
)  # fmt: skip
_WEEKEND_HOURS = (
    (.3, .2, .1, .1, .1, .2, .4, 1.0, 2.5, 5.0, 7.5, 8.5, 7.5, 6.0, 6.0, 6.0, 5.5, 5.0, 4.0, 3.0, 2.0, 1.5, 1.0, .6),
    (.5, .3, .2, .1, .1, .2, .4, 1.0, 2.5, 4.5, 6.5, 7.5, 7.0, 6.0, 6.0, 6.0, 5.5, 5.0, 4.5, 4.0, 3.0, 2.2, 1.5, .9),
    (2.0, 1.4, .8, .4, .2, .2, .3, .5, 1.0, 2.0, 3.5, 5.0, 5.5, 5.0, 5.0, 5.0, 5.0, 5.5, 6.5, 7.0, 6.0, 5.0, 4.0, 3.0),
    (6.5, 6, 5, 4, 2.5, 1.5, 1, .8, .8, 1, 1.2, 1.6, 2.2, 2.8, 3.2, 3.6, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7),
)  # fmt: skip
SATURDAY = 5
DAY_WEIGHTS = (0.93, 0.94, 0.96, 1.0, 1.14, 1.2, 0.83)
"""Traffic of Monday to Sunday; the mean is 1."""

_HOURS = np.array(_WEEKDAY_HOURS + _WEEKEND_HOURS)
_KINDS = len(_WEEKDAY_HOURS)
_CEILING = (np.cumsum(_HOURS, axis=1) / _HOURS.sum(axis=1, keepdims=True) + np.arange(len(_HOURS))[:, None]).ravel()


def weekday(day_start_ms: int) -> int:
    """Return 0 for a Monday to 6 for a Sunday: 1970-01-01 was a Thursday."""
    return (day_start_ms // DAY_MS + 3) % 7


def draw_local_times(rhythm: np.ndarray, day_of_week: int, rng: np.random.Generator) -> np.ndarray:
    """Return a local time of day in ms for each person's rhythm."""
    row = rhythm + (_KINDS if day_of_week >= SATURDAY else 0)
    u = rng.random(len(rhythm))
    cell = np.minimum(np.searchsorted(_CEILING, row + u, side="right"), row * 24 + 23)
    within = rng.random(len(rhythm))
    times: np.ndarray = ((cell - row * 24 + within) * (DAY_MS / 24)).astype(np.int64)
    return times
