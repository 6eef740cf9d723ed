"""Which scores pages are told: what was flagged first, a few of the others, no more in a second than anybody reads."""

from collections.abc import Callable, Sequence
from typing import Final

PLAIN_PER_S: Final = 20
FLAGGED_PER_S: Final = 60
_TURNS_PER_S: Final = 5
"""The approved ones of a second are spread over it."""


class Sample:
    """Chooses out of batches.

    Parameters
    ----------
    clock_s: monotonic.

    Examples
    --------
    >>> Sample(lambda: 0.0).chosen(10, [3, 7])
    [2, 3, 4, 7, 9]
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._second = -1
        self._plain_left = self._flagged_left = 0

    def chosen(self, count: int, flagged: Sequence[int]) -> list[int]:
        """Return which places of a batch of `count` are told, `flagged` being those that were not approved."""
        second = int(self._clock_s())
        if second != self._second:
            self._second, self._plain_left, self._flagged_left = second, PLAIN_PER_S, FLAGGED_PER_S
        bad = flagged[-self._flagged_left :] if self._flagged_left else []
        self._flagged_left -= len(bad)
        rest = min(self._plain_left, PLAIN_PER_S // _TURNS_PER_S, count)
        plain = {count - 1 - at * count // rest for at in range(rest)} - set(flagged) if rest else set()
        self._plain_left -= len(plain)
        return sorted([*bad, *plain])
