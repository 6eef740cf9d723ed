"""The drift agent's work: warnings, alarms and retrain requests of a closed day."""

from collections.abc import Callable, Sequence
from typing import Any

from models.drift.reference import DriftReference
from models.drift.watch import ClosedDay, DriftWatch
from models.schema.topics import DAY_MS
from stream_app.watch.history.announcement import Announcement, of_drift, of_request, of_statistics
from stream_app.watch.history.archived_days import ArchivedDays
from stream_app.watch.history.closings import Closing
from stream_app.watch.history.schedule import RetrainSchedule
from stream_app.watch.history.watcher import OpenArchive


class Drift:
    """Feeds a drift watch and a schedule; their state is the archive, read again at a start.

    Parameters
    ----------
    reference_of: the drift reference of a model version, None where it has none.
    maturity_days: event days after which labels count as complete.
    retrain_every_days: period of scheduled retrains; None asks for none.
    """

    def __init__(
        self,
        reference_of: Callable[[str], DriftReference | None],
        maturity_days: int,
        retrain_every_days: int | None = None,
    ) -> None:
        self._watch = DriftWatch(reference_of, maturity_days)
        self._schedule = RetrainSchedule(retrain_every_days)
        self._maturity_days = maturity_days
        self._alarms: dict[str, str] = {}

    def restore(self, closings: Sequence[Closing], open_archive: OpenArchive) -> None:
        """Take the days of all closings again, from the versions that they were closed with."""
        at = 0
        while at < len(closings):
            tables = closings[at].tables
            with open_archive(tables) as days:
                while at < len(closings) and closings[at].tables == tables:
                    self.close(closings[at].day, days, cause="")
                    at += 1

    def close(self, day: int, days: ArchivedDays, cause: str) -> list[Announcement]:
        """Return what was computed, what was found and what is asked for, each alarm before its request."""
        as_of = (day + 1) * DAY_MS
        closed = ClosedDay(
            day, days.rows(day, as_of), days.rows(day - self._maturity_days, as_of), table_versions=days.versions
        )
        found = self._watch.close_day(closed)
        events = [of_drift(event, cause) for event in found.events]
        for announced, event in zip(events, found.events, strict=True):
            if event.level == "alarm" and event.incident is not None:
                self._alarms[event.incident] = announced.event.id
        champion = closed.arrived[0].model_version if closed.arrived else None
        incident = self._watch.incidents.open is not None
        scheduled = self._schedule.close_day(day, champion, days.versions, incident=incident)
        return [
            *(of_statistics(record, cause) for record in found.statistics),
            *events,
            *(of_request(request, self._alarms.get(request.incident or "", cause)) for request in found.requests),
            *(of_request(request, cause) for request in scheduled),
        ]

    def state(self) -> dict[str, Any]:
        """Return nothing: the tables tell all."""
        return {}
