"""Whether a worker makes progress: unhealthy when a partition has lag and its position has stood still."""

import time

from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.source import TransactionSource

STANDSTILL_S = 10.0


class Liveness:
    """Looks at every open partition once a second."""

    def __init__(self, source: TransactionSource, metrics: ScoringMetrics) -> None:
        self._source = source
        self._metrics = metrics
        self._moved: dict[int, tuple[int, float]] = {}

    async def look(self) -> None:
        """Note where each partition stands and how far it lags."""
        now_s = time.monotonic()
        lags = self._source.lags()
        for partition, opened in list(self._source.partitions.items()):
            position = opened.lane.next_offset
            self._metrics.lag.labels(str(partition)).set(lags.get(partition, 0))
            before = self._moved.get(partition)
            if before is None or before[0] != position or not lags.get(partition):
                self._moved[partition] = (position, now_s)
        for gone in set(self._moved) - set(self._source.partitions):
            del self._moved[gone]
            self._metrics.lag.remove(str(gone))
        lanes = [opened.lane for opened in self._source.partitions.values()]
        self._metrics.cards.set(sum(lane.cards.cards for lane in lanes))
        self._metrics.card_state_bytes.set(sum(lane.cards.nbytes for lane in lanes))

    def unhealthy(self) -> str | None:
        """The reason to restart the process, or None."""
        now_s = time.monotonic()
        for partition, (position, at_s) in self._moved.items():
            if now_s - at_s > STANDSTILL_S:
                return f"partition {partition} has lag and has stood at offset {position} for {now_s - at_s:.0f} s"
        return None
