"""Slows down who guesses passwords."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

WINDOW_S: Final = 300.0
OF_A_NAME: Final = 5
"""Wrong passwords for one name from one address within the window."""
OF_AN_ADDRESS: Final = 30
"""Wrong passwords from one address: an office shares one."""
_REMEMBERED: Final = 10_000
"""Keys that are remembered; behind them the oldest are forgotten, so that names made up fill no memory."""


class Attempts:
    """Counts what failed, by address and name and by address.

    Parameters
    ----------
    clock_s: monotonic.

    Examples
    --------
    >>> attempts = Attempts(lambda: 0.0)
    >>> for _ in range(OF_A_NAME):
    ...     attempts.failed("10.0.0.1", "ada")
    >>> attempts.wait_s("10.0.0.1", "ada"), attempts.wait_s("10.0.0.2", "ada")
    (300.0, 0.0)
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._failures: OrderedDict[tuple[str, str | None], deque[float]] = OrderedDict()

    def wait_s(self, address: str, name: str) -> float:
        """Return how long it takes until another try is heard, 0 for now."""
        now_s = self._clock_s()
        return max(self._wait_s((address, name), OF_A_NAME, now_s), self._wait_s((address, None), OF_AN_ADDRESS, now_s))

    def failed(self, address: str, name: str) -> None:
        """Count a wrong password."""
        now_s = self._clock_s()
        for key in ((address, name), (address, None)):
            self._failures.setdefault(key, deque(maxlen=OF_AN_ADDRESS)).append(now_s)
            self._failures.move_to_end(key)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, address: str, name: str) -> None:
        """Forget the failures of a name; the address's count on."""
        self._failures.pop((address, name), None)

    def _wait_s(self, key: tuple[str, str | None], allowed: int, now_s: float) -> float:
        times = self._failures.get(key, ())
        recent = [at_s for at_s in times if at_s > now_s - WINDOW_S]
        return recent[-allowed] + WINDOW_S - now_s if len(recent) >= allowed else 0.0
