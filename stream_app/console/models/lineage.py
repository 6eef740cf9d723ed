"""How a version came to be and what became of it: from the drift event to the release, step by step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from models.alias import MOVE
from models.manifest import Manifest
from models.registry import CHAMPION
from models.schema.audit_record import AuditRecord
from models.schema.drift_event import DriftEvent
from models.schema.retrain_request import RetrainRequest
from stream_app.drift.stream import Told

_AGAIN: Final = "Champion again, by roll-back"
_PERSONS: Final = {
    "promotion-proposal": "Proposed for promotion",
    "promotion-approval": "Approved by a second person",
    "promotion-rejection": "Proposal rejected",
    "registration": "Registered by a person",
}
_RELEASE: Final = {
    "adopted": "Adopted by the release loop, which watches it",
    "frozen": "Automatic promotion frozen",
    "unfrozen": "Automatic promotion goes on",
    "verified": "Verified again",
}
_GATE: Final = {
    "registered": "Gate passed, registered",
    "rejected": "Gate: rejected",
    "undecided": "Gate: undecided, tried again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened.

    Attributes
    ----------
    what: in a few words.
    cause: why, in a sentence.
    actor: who, a person or a process.
    at_ms: wall clock, ms; None where only the event's time is known.
    event_ms: event time, ms; None where only the wall clock is known.
    record: number of its audit record; None where it is not in the audit.
    event_id, correlation_id, causation_id: of its CloudEvent; None where it has none.
    """

    what: str
    cause: str
    actor: str
    at_ms: int | None = None
    event_ms: int | None = None
    record: int | None = None
    event_id: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None


def lineage(manifest: Manifest, records: Sequence[AuditRecord], told: Iterable[Told]) -> list[Step]:
    """Return the steps of a version in order.

    Parameters
    ----------
    manifest: of the version.
    records: the audit, the oldest first.
    told: drift events and retrain requests, as far as they are known.
    """
    version, request_id = manifest.version, manifest.lineage.retrain_request
    about = [record for record in records if _concerns(record, version, request_id)]
    told = list(told)
    request = next(
        (one for one in told if isinstance(one.record, RetrainRequest) and one.record.request_id == request_id), None
    )
    incident = None if request_id is None else _incident(about, request_id)
    if request is not None and isinstance(request.record, RetrainRequest):
        incident = request.record.incident
    alarms, recoveries = _drift(told, incident, request)
    asked = [] if request is None or any(record.kind == "retrain-request" for record in about) else [_asked(request)]
    return [*alarms, *asked, *_acts(about, version, request), *recoveries]


def _concerns(record: AuditRecord, version: str, request_id: str | None) -> bool:
    details = record.details
    if record.subject == version:
        return record.kind != "placement" and details.get("alias", CHAMPION) == CHAMPION
    if record.kind in {MOVE, "release"} and details.get("before") == version:
        return details.get("alias") == CHAMPION or details.get("event") == "rolled back"
    if request_id is None:
        return False
    return (record.kind in {"retrain-request", "retrain-outcome"} and record.subject == request_id) or (
        record.kind == "gate-verdict" and details.get("request_id") == request_id
    )


def _incident(records: Iterable[AuditRecord], request_id: str) -> str | None:
    """Return the incident that a request was for, as the audit has it."""
    asked = (record for record in records if record.kind == "retrain-request" and record.subject == request_id)
    incident = next((record.details.get("incident") for record in asked), None)
    return None if incident is None else str(incident)


def _drift(told: Iterable[Told], incident: str | None, request: Told | None) -> tuple[list[Step], list[Step]]:
    """Return what made somebody ask, and how the incident ended."""
    if incident is None:
        return [], []
    before, after = [], []
    for one in told:
        event = one.record
        if not isinstance(event, DriftEvent) or event.incident != incident:
            continue
        step = Step(
            what=f"Drift {event.level}: {event.feature}",
            cause=event.summary,
            actor=one.context.source,
            event_ms=event.as_of,
            event_id=one.context.id,
            correlation_id=one.context.correlation_id,
            causation_id=one.context.causation_id,
        )
        if event.level == "recovery":
            after.append(step)
        elif request is None or event.as_of <= request.context.time_ms:
            before.append(step)
    return before, after


def _asked(request: Told) -> Step:
    record = request.record
    assert isinstance(record, RetrainRequest)
    return Step(
        what="Retrain requested",
        cause=record.reason,
        actor=record.actor,
        event_ms=record.as_of,
        event_id=request.context.id,
        correlation_id=request.context.correlation_id,
        causation_id=request.context.causation_id,
    )


def _acts(records: Sequence[AuditRecord], version: str, request: Told | None) -> Iterator[Step]:
    told = {record.details.get("alias_sequence") for record in records if record.kind == "release"}
    for record in records:
        if record.kind == MOVE:
            # The release loop's event of the same move says more.
            if record.sequence not in told:
                yield _step(record, _move(record, version), record.hash)
        elif record.kind == "retrain-request":
            yield _request_step(record, request)
        elif record.kind == "retrain-outcome":
            yield _step(record, f"Retrain ended: {record.details.get('outcome')}", record.hash)
        elif record.kind in {"release", "gate-verdict"}:
            yield _release_step(record, version)
        elif record.kind in _PERSONS:
            yield _step(record, _PERSONS[record.kind], record.hash)


def _move(record: AuditRecord, version: str) -> str:
    rolled_back = record.details["action"] == "rollback"
    if record.subject == version:
        return _AGAIN if rolled_back else "Made champion"
    return f"Rolled back: {record.subject} is champion again" if rolled_back else f"Replaced by {record.subject}"


def _request_step(record: AuditRecord, request: Told | None) -> Step:
    as_of, incident = record.details.get("as_of"), record.details.get("incident")
    return Step(
        what="Retrain requested",
        cause=record.reason,
        actor=record.actor,
        at_ms=record.time_ms,
        event_ms=as_of if isinstance(as_of, int) else None,
        record=record.sequence,
        event_id=record.subject,
        correlation_id=str(incident or record.subject),
        causation_id=None if request is None else request.context.causation_id,
    )


def _release_step(record: AuditRecord, version: str) -> Step:
    details = record.details
    event = str(details["event"])
    if record.kind == "gate-verdict":
        what = _GATE.get(event, event)
    elif event == "rolled back":
        what = _AGAIN if record.subject == version else f"Rolled back: {record.subject} is champion again"
    else:
        what = _RELEASE.get(event, event.capitalize())
    request_id = details.get("request_id")
    correlation = details.get("incident") or request_id or details.get("release")
    return replace(
        _step(record, what, record.event_id),
        correlation_id=None if correlation is None else str(correlation),
        causation_id=None if request_id is None else str(request_id),
    )


def _step(record: AuditRecord, what: str, event_id: str | None) -> Step:
    return Step(
        what=what,
        cause=record.reason,
        actor=record.actor,
        at_ms=record.time_ms,
        record=record.sequence,
        event_id=event_id,
        correlation_id=record.event_id or event_id,
    )
