"""What the page is made of: records of five topics, each event once."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.model_event import ModelEvent
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS

WEEK_DAYS: Final = 7


@dataclass(frozen=True)
class HealthRecords:
    """All that was published, in any order.

    Attributes
    ----------
    performance: every revision of each version's weeks.
    statistics: of each closed event day and version.
    events: warnings, alarms, recoveries.
    requests: for a new model.
    models: what the gate and the release loop did.
    """

    performance: tuple[Performance, ...] = ()
    statistics: tuple[DriftStatistics, ...] = ()
    events: tuple[DriftEvent, ...] = ()
    requests: tuple[RetrainRequest, ...] = ()
    models: tuple[ModelEvent, ...] = ()

    @cached_property
    def now_ms(self) -> int:
        """Event time up to which days have closed; 0 before the first."""
        moments = [[one.as_of for one in records] for records in (self.performance, self.statistics, self.events)]
        return max((at for some in moments for at in some), default=0)

    @cached_property
    def days(self) -> list[list[DriftStatistics]]:
        """The statistics of each event day, in order; the version with most transactions first."""
        found: dict[int, list[DriftStatistics]] = {}
        for record in sorted(self.statistics, key=lambda one: (one.event_day, -one.rows)):
            found.setdefault(record.event_day, []).append(record)
        return list(found.values())

    @cached_property
    def champions(self) -> dict[int, str]:
        """By first day of a week the version that decided on most of its transactions."""
        rows: dict[int, Counter[str]] = {}
        for record in sorted(self.performance, key=lambda one: one.revision):
            rows.setdefault(record.from_day, Counter())[record.model_version] = record.rows
        return {week: counts.most_common(1)[0][0] for week, counts in rows.items()}

    @property
    def measured_until_ms(self) -> int:
        """End of the last week whose labels were mature; 0 before the first."""
        measured = (record.to_day for record in self.performance if record.state != "provisional")
        return max(measured, default=0) * DAY_MS
