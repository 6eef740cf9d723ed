"""What the release loop did, on the topic `model-events`: stages, moves of the champion, and what they rest on."""

import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from models.errors import FraudstreamError
from models.schema.cloud_event import event_id
from models.schema.field_types import Count, Version1, version_1

ModelEventKind = Literal[
    "shadow started",
    "canary started",
    "promoted",
    "withdrawn",
    "rolled back",
    "watch ended",
    "adopted",
    "frozen",
    "unfrozen",
    "verified",
    "verification failed",
    "registered",
    "rejected",
    "undecided",
]
Verdict = Literal["ok", "broken", "not enough yet"]
CheckName = Literal[
    "missing output",
    "constant output",
    "rank correlation",
    "rank correlation at the top",
    "overlap of the top .5 %",
    "overlap of the top 5 %",
    "flipped decisions",
    "flipped value",
    "alert rate",
    "latency",
    "matured average precision",
]
MOVES: frozenset[ModelEventKind] = frozenset({"promoted", "rolled back", "adopted"})
"""Kinds that tell of a move of the alias `champion`, which the registry's own audit holds too."""
VERDICTS: frozenset[ModelEventKind] = frozenset({"registered", "rejected", "undecided"})
"""Kinds that tell what the gate said of a candidate: by the retrainer, beside the chain of the release loop."""


class ModelEventError(FraudstreamError):
    """Raised when an event was changed, removed or put in."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One guardrail, or the matured comparison, at a moment.

    Attributes
    ----------
    name: what is compared.
    figure: what was found; None where the rows do not define it.
    limit: what it must not pass; None where there is none.
    verdict: broken only when the figure is beyond the limit by more than chance.
    sentence: the same for people.
    rows: rows behind it.
    """

    name: CheckName
    figure: float | None
    limit: float | None
    verdict: Verdict
    sentence: str
    rows: Count


class ModelEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a release.

    Attributes
    ----------
    kind: what was done.
    version: the model that it is about; `request:` and the request's id for a candidate that the gate did not let pass.
    before: the champion until then, or the model that it is compared with; None without one.
    cause: why, in one sentence.
    checks: the guardrails as they stood.
    as_of: event time of the latest row seen, ms; 0 before the first.
    release: id shared by all events of one release.
    incident, request_id: what the model was trained for; None where nobody asked, as when a person promotes.
    actor: who decided: `release`, or a person.
    sequence: counts the events of the loop from 1; 0 for the gate's verdicts, which are sealed one by one.
    alias_sequence: that of the alias `champion` after a move; None where nothing was moved.
    previous_hash, hash: `hash` is the SHA-256 of the event with `hash` empty, so each holds on to the one before.
    """

    kind: ModelEventKind
    version: str
    before: str | None
    cause: str
    checks: tuple[Check, ...]
    as_of: Count
    release: str
    incident: str | None
    request_id: str | None
    actor: str
    sequence: Count
    alias_sequence: int | None = None
    previous_hash: str = ""
    hash: str = ""
    schema_version: Version1 = msgspec.field(default_factory=version_1)

    @property
    def event_id(self) -> str:
        """The id of the event, the same however often it is published."""
        return event_id("model-event", self.release, self.kind, self.version, self.sequence)

    @property
    def correlation_id(self) -> str:
        """Shared with what the release goes back to: the incident, the request, else the release itself."""
        return self.incident or self.request_id or self.release or self.event_id

    def sealed(self, previous_hash: str) -> "ModelEvent":
        """Return the event behind another one, with its hash filled in."""
        unsealed = msgspec.structs.replace(self, previous_hash=previous_hash, hash="")
        digest = hashlib.sha256(msgspec.json.encode(unsealed, order="sorted")).hexdigest()
        return msgspec.structs.replace(unsealed, hash=digest)


def check_events(events: Iterable[ModelEvent]) -> None:
    """Raise ModelEventError at the first event that does not follow the one before; repeated ones are left out.

    Examples
    --------
    >>> about = {"before": None, "cause": "", "checks": (), "as_of": 0, "release": "r", "incident": None}
    >>> about |= {"request_id": None, "actor": "release"}
    >>> first = ModelEvent(kind="promoted", version="m-1", sequence=1, **about).sealed("")
    >>> second = ModelEvent(kind="watch ended", version="m-1", sequence=2, **about).sealed(first.hash)
    >>> check_events([first, second, second])
    >>> check_events([first, msgspec.structs.replace(second, cause="another")])
    Traceback (most recent call last):
    models.schema.model_event.ModelEventError: model event 2 does not follow the one before it: events were altered
    """
    previous: ModelEvent | None = None
    for event in events:
        if event.kind in VERDICTS:
            _check_verdict(event)
            continue
        if previous is not None and event == previous:
            continue
        sequence, previous_hash = (1, "") if previous is None else (previous.sequence + 1, previous.hash)
        if event.sequence != sequence or event != event.sealed(previous_hash):
            raise ModelEventError(
                f"model event {event.sequence} does not follow the one before it: events were altered"
            )
        previous = event


def _check_verdict(event: ModelEvent) -> None:
    if event.sequence or event != event.sealed(""):
        raise ModelEventError(f"the verdict {event.kind!r} on {event.version} does not have its hash: it was altered")
