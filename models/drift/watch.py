"""The drift watch over all model versions: closed event days in; statistics, drift events and retrain requests out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from models.drift.day_statistics import day_statistics
from models.drift.incident import DayOfIncident, IncidentPolicy
from models.drift.monitor import Finding, ModelMonitor
from models.drift.reference import DriftReference
from models.drift.words import PERFORMANCE, date
from models.metrics.scored_rows import ScoredRows
from models.schema.drift_event import DriftEvent, DriftLevel
from models.schema.drift_statistics import DriftStatistics
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS

DEFAULT_MATURITY_DAYS = 7


@dataclass(frozen=True, slots=True, eq=False)
class ClosedDay:
    """An event day that has closed, and the older one whose labels are mature by that.

    Attributes
    ----------
    day: the event day that closed.
    arrived: its rows, one entry for each model version.
    matured: rows of event day `day - maturity`, with the labels known when `day` closed, in the same way.
    table_versions: what they were read from.
    """

    day: int
    arrived: Sequence[ScoredRows]
    matured: Sequence[ScoredRows]
    table_versions: Mapping[str, int] = field(default_factory=dict)

    @property
    def as_of(self) -> int:
        """The midnight that closed it, ms."""
        return (self.day + 1) * DAY_MS


@dataclass(frozen=True, slots=True)
class DriftFindings:
    """What the close of a day brought.

    Attributes
    ----------
    events, requests: what was found, and what is asked for because of it.
    statistics: what was computed, found or not; one entry for each version with a reference.
    """

    events: list[DriftEvent]
    requests: list[RetrainRequest]
    statistics: list[DriftStatistics] = field(default_factory=list)


class DriftWatch:
    """Feeds each model version's monitor and the policy of incidents; knows nothing of Kafka.

    The same days give the same events and requests, with the same ids.

    Parameters
    ----------
    reference_of: the drift reference of a model version, None where it has none.
    maturity_days: event days after which labels count as complete.
    """

    def __init__(
        self, reference_of: Callable[[str], DriftReference | None], maturity_days: int = DEFAULT_MATURITY_DAYS
    ) -> None:
        self.incidents = IncidentPolicy()
        self._reference_of = reference_of
        self._maturity_days = maturity_days
        self._monitors: dict[str, ModelMonitor | None] = {}
        self._frauds: dict[int, int] = {}

    def monitor(self, version: str) -> ModelMonitor | None:
        """Return the monitor of a version; None where it has no reference."""
        if version not in self._monitors:
            reference = self._reference_of(version)
            self._monitors[version] = None if reference is None else ModelMonitor(reference)
        return self._monitors[version]

    def close_day(self, closed: ClosedDay) -> DriftFindings:
        """Take a closed day; days come in order and each once."""
        events, statistics = [], []
        for rows in closed.arrived:
            monitor = self.monitor(rows.model_version)
            if monitor is not None and len(rows):
                found = monitor.arrived(closed.day, rows)
                if len(closed.arrived) > 1:  # versions that share a day, as at a swap, each have less of it than usual
                    found = [one for one in found if one.kind != "volume"]
                events += [self._event(closed, rows.model_version, "warning", one, None) for one in found]
                statistics.append(day_statistics(closed.day, rows, monitor, closed.table_versions))
        champion = max(closed.arrived, key=len).model_version if closed.arrived else None
        alarm, requests = self._mature(closed, champion)
        return DriftFindings([*events, *alarm], requests, statistics)

    def _mature(self, closed: ClosedDay, champion: str | None) -> tuple[list[DriftEvent], list[RetrainRequest]]:
        day = closed.day - self._maturity_days
        alarms: dict[str, Finding] = {}
        for rows in closed.matured:
            known = rows.take(rows.known(self._maturity_days * DAY_MS))
            self._frauds[day] = self._frauds.get(day, 0) + int(known.is_fraud.sum())
            monitor = self.monitor(rows.model_version)
            finding = monitor.matured(day, known) if monitor is not None and len(known) else None
            if finding is not None:
                alarms[rows.model_version] = finding
        # What an earlier champion missed is no reason to replace the present one.
        monitor = self.monitor(champion) if champion is not None else None
        if champion is None or monitor is None:
            return [], []
        return self._follow(closed, champion, monitor, alarms.get(champion))

    def _follow(
        self, closed: ClosedDay, champion: str, monitor: ModelMonitor, finding: Finding | None
    ) -> tuple[list[DriftEvent], list[RetrainRequest]]:
        before = self.incidents.open
        changed_at = before.changed_at if before is not None else finding.since if finding is not None else None
        requests = self.incidents.close_day(
            DayOfIncident(
                as_of=closed.as_of,
                model_version=champion,
                changed_at=finding.since if finding is not None else None,
                frauds_since=self._frauds_since(changed_at),
                recovered=monitor.recovered,
                reason=finding.summary if finding is not None else "the incident goes on",
                table_versions=dict(closed.table_versions),
            )
        )
        events = []
        if before is None and self.incidents.open is not None and finding is not None:
            events.append(self._event(closed, champion, "alarm", finding, self.incidents.open.id))
        ended = self.incidents.ended
        if ended is not None:
            summary = f"average precision is back where it was; the incident since {date(ended.changed_at)} is over"
            back = Finding("performance", PERFORMANCE, ended.recovered_since or closed.as_of, 7, summary, [])
            events.append(self._event(closed, champion, "recovery", back, ended.id))
        return events, requests

    def _frauds_since(self, changed_at: int | None) -> int:
        if changed_at is None:
            return 0
        return sum(frauds for day, frauds in self._frauds.items() if day * DAY_MS >= changed_at)

    def _event(
        self, closed: ClosedDay, version: str, level: DriftLevel, finding: Finding, incident: str | None
    ) -> DriftEvent:
        monitor = self.monitor(version)
        assert monitor is not None
        return DriftEvent(
            model_version=version,
            as_of=closed.as_of,
            day=closed.day + 1,
            level=level,
            kind=finding.kind,
            feature=finding.feature,
            since=finding.since,
            window_days=finding.window_days,
            summary=finding.summary,
            evidence=finding.evidence,
            incident=incident,
            reference=monitor.reference.description,
            table_versions=dict(closed.table_versions),
        )


def reference_in(manifest_reference: Mapping[str, object] | None) -> DriftReference | None:
    """Read the reference out of a manifest; None where it holds none."""
    return None if not manifest_reference else msgspec.convert(manifest_reference, DriftReference)
