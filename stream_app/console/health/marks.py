"""Moments on the axis of event time: alarms, warnings, incidents, retrain requests, moves of the champion."""

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final, Literal

from models.schema.drift_event import DriftEvent
from models.schema.model_event import MOVES, ModelEvent
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.console.health.dates import day
from stream_app.console.health.records import HealthRecords

Kind = Literal["alarm", "warning", "recovery", "request", "swap"]

NAMES: Final[dict[Kind, str]] = {
    "alarm": "alarm",
    "warning": "warning",
    "recovery": "recovery",
    "request": "retrain request",
    "swap": "model swap",
}
_LETTERS: Final[dict[Kind, str]] = {"alarm": "A", "warning": "W", "recovery": "E", "request": "R", "swap": "M"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment.

    Attributes
    ----------
    label: what it is called in the charts and in the list beside them: `A1` is the first alarm.
    text: one sentence.
    version: the model that it is about.
    incident: the incident that it belongs to, None without one.
    """

    at_ms: int
    kind: Kind
    label: str
    text: str
    version: str
    incident: str | None

    @property
    def name(self) -> str:
        """What kind of moment it is, in words."""
        return NAMES[self.kind]


@dataclass(frozen=True, slots=True)
class Incident:
    """A stretch in which the champion was worse than it should be.

    Attributes
    ----------
    id: of the incident.
    alarm: what opened it.
    changed_ms: from when on the model slipped, event time.
    ended_ms: when it was over; None while it is open.
    recovery: what ended it.
    """

    id: str
    alarm: DriftEvent
    changed_ms: int
    ended_ms: int | None
    recovery: DriftEvent | None


def marks_of(records: HealthRecords) -> list[Mark]:
    """Return all marks in the order of event time, those of a kind counted from 1."""
    found = [
        *(_of_event(event) for event in records.events),
        *(_of_request(request) for request in records.requests),
        *(_of_move(move) for move in records.models if move.kind in MOVES and move.as_of),
        *_untold_swaps(records),
    ]
    order = list(NAMES)
    found.sort(key=lambda mark: (mark.at_ms, order.index(mark.kind), mark.text))
    counts = dict.fromkeys(order, 0)
    labelled = []
    for mark in found:
        counts[mark.kind] += 1
        label = f"{_LETTERS[mark.kind]}{counts[mark.kind]}"
        labelled.append(Mark(mark.at_ms, mark.kind, label, mark.text, mark.version, mark.incident))
    return labelled


def incidents_of(records: HealthRecords) -> list[Incident]:
    """Return the incidents in the order of time; of one with several alarms the first counts."""
    told = sorted(
        (event for event in records.events if event.incident), key=lambda event: (event.incident, event.as_of)
    )
    found = []
    for identity, group in groupby(told, key=lambda event: event.incident or ""):
        events = list(group)
        alarm = next((event for event in events if event.level == "alarm"), None)
        recovery = next((event for event in events if event.level == "recovery"), None)
        if alarm is not None:
            ended = None if recovery is None else recovery.as_of
            found.append(Incident(identity, alarm, alarm.since, ended, recovery))
    return sorted(found, key=lambda incident: incident.alarm.as_of)


def _of_event(event: DriftEvent) -> Mark:
    return Mark(event.as_of, event.level, "", event.summary, event.model_version, event.incident)


def _of_request(request: RetrainRequest) -> Mark:
    text = request.reason
    if request.incident is not None and request.changed_at is not None:  # the first one's reason is the alarm's again
        frauds = f"{request.frauds_since_change:,} matured frauds since {day(request.changed_at)}"
        text = f"number {request.number} of the incident, {frauds} to learn from"
    return Mark(request.as_of, "request", "", text, request.model_version, request.incident)


def _untold_swaps(records: HealthRecords) -> list[Mark]:
    """Versions that decided on most of a day from some day on, though no event tells of their promotion."""
    told = {move.version for move in records.models if move.kind in MOVES}
    champions = [(day[0].event_day * DAY_MS, day[0].model_version) for day in records.days]
    return [
        Mark(at_ms, "swap", "", f"{version} decides on most transactions from here on", version, None)
        for (_, before), (at_ms, version) in pairwise(champions)
        if version != before and version not in told
    ]


def _of_move(move: ModelEvent) -> Mark:
    done = {"promoted": "promoted", "rolled back": "rolled back to", "adopted": "promoted by hand:"}[move.kind]
    before = f" in place of {move.before}" if move.before else ""
    return Mark(move.as_of, "swap", "", f"{done} {move.version}{before}: {move.cause}", move.version, move.incident)
