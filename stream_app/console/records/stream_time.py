"""The bank's own time: that of the wall where transactions are live, that of the data where old ones are replayed."""

import statistics
from collections import deque
from collections.abc import Iterable
from typing import Final

RECENT_TIMES: Final = 101
"""The median of so many rows: 50 of them may carry any time at all."""
_LIVE_MS: Final = 24 * 3600 * 1000
"""Streams whose events are closer to the wall clock than this are live: a quiet night is no replay."""


class StreamTime:
    """Says when a statement is made. One stamped by the wall in a replay of last year would lie in its future.

    Examples
    --------
    >>> time = StreamTime()
    >>> time.see([1_700_000_000_000])
    >>> time.now_ms(1_700_000_005_000), time.now_ms(1_764_000_000_000)
    (1700000005000, 1700000000000)
    """

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=RECENT_TIMES)

    def see(self, event_times: Iterable[int]) -> None:
        """Take note of rows in the order in which they came."""
        self._recent.extend(event_times)

    def now_ms(self, wall_ms: int) -> int:
        """Return the time at which something that is done now is done for the bank."""
        recent = list(self._recent)
        if not recent:
            return wall_ms
        stream_ms = int(statistics.median(recent))
        return wall_ms if abs(wall_ms - stream_ms) < _LIVE_MS else stream_ms
