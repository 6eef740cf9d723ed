"""Says how large the control group will be in a week, and warns when it is too small to judge the declined by."""

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from models.control_group import FEWEST_ROWS_A_WEEK, ControlPolicy
from models.manifest import Manifest
from models.schema.topics import DAY_MS
from stream_app.scoring.record_batch import Scored

log = logging.getLogger(__name__)

_REMEDY: Final = (
    f"fewer than {FEWEST_ROWS_A_WEEK} say little of the declined: raise --control-share, --control-amount-cap or "
    "--control-day-cap"
)
_BATCHES: Final = 41
"""A partition's event time is the median over so many batches: up to 20 of them may carry any time at all."""


@dataclass(slots=True)
class _Flow:
    """What one partition has brought since `since_ms`."""

    times: deque[int] = field(default_factory=lambda: deque(maxlen=_BATCHES))
    since_ms: int | None = None
    drawable: int = 0

    def days(self) -> float:
        return 0.0 if self.since_ms is None else max(0, self._median() - self.since_ms) / DAY_MS

    def begin(self) -> None:
        self.since_ms, self.drawable = self._median(), 0

    def see(self, scored: Scored) -> None:
        self.times.append(scored.event_time)
        if self.since_ms is not None:
            self.drawable += scored.drawable
        elif len(self.times) == _BATCHES:
            self.begin()

    def _median(self) -> int:
        return sorted(self.times)[len(self.times) // 2]


class ControlOutlook:
    """Expected control rows a week: at first by the model's hold-out, then by the traffic of this worker's partitions.

    Said after the first event day and every event week from then on.

    Parameters
    ----------
    policy: how the control group is drawn.
    """

    def __init__(self, policy: ControlPolicy) -> None:
        self._policy = policy
        self._flows: dict[int, _Flow] = {}
        self._period_days = 1.0

    def begin(self, manifest: Manifest) -> None:
        """Say what the first model lets expect, if its hold-out tells."""
        if not self._policy.share:
            log.info("no control group is drawn: --control-share is 0")
            return
        if manifest.thresholds.decline is None:
            log.info("%s declines nothing, so no control group is drawn", manifest.version)
            return
        figures = manifest.metrics.get("hold_out")
        rate = figures.values.get("decline_rate") if figures else None
        if figures is None or rate is None:
            log.info("the size of the control group is said after the first event day: %s tells none", manifest.version)
            return
        days = max(1.0, (figures.to_event_time - figures.from_event_time) / DAY_MS)
        self._say(rate * figures.rows / days, f"by the hold-out of {manifest.version}, whatever the amounts")

    def see(self, partition: int, partitions: int, scored: Scored) -> None:
        """Take note of one scored batch."""
        if not scored.scores or not self._policy.share:
            return
        flow = self._flows.setdefault(partition, _Flow())
        flow.see(scored)
        if flow.days() < self._period_days:
            return
        known = [one for one in self._flows.values() if one.days() > self._period_days / 2]
        a_day = sum(one.drawable / one.days() for one in known) * partitions / len(known)
        self._say(a_day, f"by the traffic of {len(known)} of {partitions} partitions")
        self._period_days = 7.0
        for one in known:
            one.begin()

    def _say(self, drawable_a_day: float, why: str) -> None:
        rows = self._policy.expected_a_week(drawable_a_day)
        text = "about %.0f rows of the control group expected a week, %s"
        if rows < FEWEST_ROWS_A_WEEK:
            log.warning(f"{text}; {_REMEDY}", rows, why)  # noqa: G004  both parts are constants
        else:
            log.info(text, rows, why)
