"""From alarms to retrain requests: an incident asks again as evidence grows, until the model is back where it was."""

from dataclasses import dataclass
from typing import Final

import msgspec

from models.drift.words import date
from models.schema.cloud_event import event_id
from models.schema.retrain_request import RetrainCause, RetrainRequest
from models.schema.topics import DAY_MS

ASK_AGAIN_DAYS: Final = 7
"""While an incident is open a retrain is asked for at least this often."""
GROWTH: Final = 2
"""And whenever the matured frauds since the change have grown by this factor: the first request has a day of the new
tactic at most, and a model trained on it stops half way (.54 to .70 average precision, .83 with three weeks)."""
RECOVERED_DAYS: Final = 7
"""An incident ends when the matured performance has been back for so many event days."""
ACTOR: Final = "watch/drift"


class Incident(msgspec.Struct, frozen=True):
    """A stretch of time in which the champion is worse than it was.

    Attributes
    ----------
    id: the same in every run over the same data.
    opened_at: event time of the alarm, ms.
    changed_at: event time from which on the model slipped, ms.
    requests: how often a retrain was asked for.
    asked_at, asked_frauds: when last, and with how many matured frauds since the change.
    recovered_since: event time since which the performance is back, ms; None while it is not.
    """

    id: str
    opened_at: int
    changed_at: int
    requests: int = 0
    asked_at: int = 0
    asked_frauds: int = 0
    recovered_since: int | None = None


@dataclass(frozen=True, slots=True)
class DayOfIncident:
    """What a closed day brings to the policy.

    Attributes
    ----------
    as_of: event time, ms.
    model_version: the champion.
    changed_at: event time of the change that an alarm of today names, ms; None without an alarm.
    frauds_since: matured frauds since the open incident's change, or since `changed_at` where none is open.
    recovered: whether matured performance is within the margin of the reference.
    reason: the alarm in one sentence.
    table_versions: of the archive.
    """

    as_of: int
    model_version: str
    changed_at: int | None
    frauds_since: int
    recovered: bool
    reason: str
    table_versions: dict[str, int]


class IncidentPolicy:
    """Opens, follows and ends incidents, one at a time; knows nothing but what each closed day brings.

    Examples
    --------
    >>> policy = IncidentPolicy()
    >>> def day(number, alarm, frauds, recovered=False):
    ...     changed = 0 if alarm else None
    ...     return DayOfIncident(number * DAY_MS, "m-1", changed, frauds, recovered, "recall fell", {})
    >>> [len(policy.close_day(day(n, n == 1, 40 * n))) for n in range(1, 6)]
    [1, 1, 0, 1, 0]
    """

    def __init__(self) -> None:
        self.open: Incident | None = None
        self.ended: Incident | None = None
        """The incident that the last closed day has ended."""

    def close_day(self, day: DayOfIncident) -> list[RetrainRequest]:
        """Return what is asked for at the end of a day."""
        self.ended = None
        if self.open is None:
            return [self._open(day)] if day.changed_at is not None else []
        since = None if not day.recovered else self.open.recovered_since or day.as_of
        self.open = msgspec.structs.replace(self.open, recovered_since=since)
        if since is not None:
            # A model that is back needs no other one.
            if day.as_of - since >= (RECOVERED_DAYS - 1) * DAY_MS:
                self.ended, self.open = self.open, None
            return []
        grown = day.frauds_since >= GROWTH * max(1, self.open.asked_frauds)
        if grown or day.as_of - self.open.asked_at >= ASK_AGAIN_DAYS * DAY_MS:
            return [self._ask(day, "drift follow-up")]
        return []

    def _open(self, day: DayOfIncident) -> RetrainRequest:
        changed_at = day.as_of if day.changed_at is None else day.changed_at
        self.open = Incident(event_id("incident", day.model_version, day.as_of), day.as_of, changed_at)
        return self._ask(day, "drift")

    def _follow_up(self, day: DayOfIncident) -> str:
        assert self.open is not None
        return (
            f"the model is not back yet: {day.frauds_since:,} frauds since {date(self.open.changed_at)} can be learned "
            f"from, {self.open.asked_frauds:,} when a retrain was last asked for"
        )

    def _ask(self, day: DayOfIncident, cause: RetrainCause) -> RetrainRequest:
        assert self.open is not None
        reason = day.reason if cause == "drift" else self._follow_up(day)
        asked = {"asked_at": day.as_of, "asked_frauds": day.frauds_since}
        self.open = msgspec.structs.replace(self.open, requests=self.open.requests + 1, **asked)
        return RetrainRequest(
            request_id=event_id("request", self.open.id, self.open.requests),
            cause=cause,
            incident=self.open.id,
            number=self.open.requests,
            model_version=day.model_version,
            as_of=day.as_of,
            changed_at=self.open.changed_at,
            frauds_since_change=day.frauds_since,
            reason=reason,
            actor=ACTOR,
            table_versions=day.table_versions,
        )
