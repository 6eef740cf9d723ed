"""Figures of the last minute, kept second by second."""

from collections import deque
from typing import Final

from stream_app.console.feed.score_reader import ScoreCounts
from stream_app.console.now.vitals import Traffic

WINDOW_S: Final = 60.0
_RATE_S: Final = 5.0


class Recent:
    """Counts and latencies as they are seen; the clock is given with each.

    Examples
    --------
    >>> recent = Recent()
    >>> for now_s, counts in ((0.0, ScoreCounts()), (2.0, ScoreCounts(100, looked_at=80, flagged=4))):
    ...     recent.see(now_s, counts)
    >>> recent.traffic(2.0).scored_per_s, recent.traffic(2.0).alert_rate
    (50.0, 0.05)
    """

    def __init__(self) -> None:
        self._counts: deque[tuple[float, ScoreCounts]] = deque()
        self._latencies: deque[tuple[float, float]] = deque()
        self._grew_s: float | None = None

    def see(self, now_s: float, counts: ScoreCounts) -> None:
        """Take how many there were until now."""
        if self._counts and counts.written > self._counts[-1][1].written:
            self._grew_s = now_s
        self._counts.append((now_s, counts))
        while self._counts[0][0] < now_s - WINDOW_S:
            self._counts.popleft()

    def add_latency(self, now_s: float, latency_ms: float) -> None:
        """Take one of the sample."""
        self._latencies.append((now_s, latency_ms))

    def traffic(self, now_s: float) -> Traffic:
        """Return what came through."""
        while self._latencies and self._latencies[0][0] < now_s - WINDOW_S:
            self._latencies.popleft()
        if not self._counts:
            return Traffic()
        last_s, last = self._counts[-1]
        minute = last - self._counts[0][1]
        from_s, before = next(one for one in self._counts if one[0] >= last_s - _RATE_S)
        passed_s = last_s - from_s
        return Traffic(
            scored_per_s=(last - before).written / passed_s if passed_s else 0.0,
            scored=minute.written,
            looked_at=minute.looked_at,
            flagged=minute.flagged,
            shown=minute.told,
            latencies_ms=[latency_ms for _, latency_ms in self._latencies],
            silent_s=None if self._grew_s is None else now_s - self._grew_s,
        )
