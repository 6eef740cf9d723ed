"""One line of the audit: who did what, when and why, hashed onto the line before it."""

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from models.schema.field_types import Count, Version1, version_1

AuditKind = Literal[
    "alias-move",
    "placement",
    "registration",
    "promotion-proposal",
    "promotion-approval",
    "promotion-rejection",
    "approvals",
    "retrain-request",
    "gate-verdict",
    "retrain-outcome",
    "release",
    "new-epoch",
    "review",
    "login",
    "account",
    "restore",
]
"""`alias-move`, `placement`: what serves, and what scores beside it. `registration`: a person's new model.
`promotion-proposal`, `promotion-approval`, `promotion-rejection`, `approvals`: two-person approval and its switch.
`retrain-request`, `gate-verdict`, `retrain-outcome`: a retrain from the asking to its end, rejections included.
`release`: a step of the release loop. `new-epoch`: scoring went on behind a changed input. `review`: an analyst's
statement on a transaction. `login`: somebody entered, or was kept out. `account`: who may enter, and as what, was
changed. `restore`: the registry was rebuilt."""

Detail = str | int | bool | None
Said = Annotated[str, Meta(min_length=1)]


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done; the bytes that are kept and published are those of `canonical`.

    Attributes
    ----------
    sequence: counts from 1 without a gap.
    time_ms: wall clock, ms since 1970.
    kind: what sort of act.
    actor: a person, or the process that decided.
    reason: why, in one sentence.
    subject: what it is about: a model version, a request, a transaction, a partition.
    details: the particulars of the kind.
    event_id: id of the event that it tells of, where that could be told twice; no two records have the same.
    previous_hash: `hash` of the record before; empty for the first.
    hash: SHA-256 of the canonical bytes with `hash` empty.
    """

    sequence: Annotated[int, Meta(ge=1)]
    time_ms: Count
    kind: AuditKind
    actor: Said
    reason: Said
    subject: str
    details: dict[str, Detail]
    event_id: str | None
    previous_hash: str
    hash: str
    schema_version: Version1 = msgspec.field(default_factory=version_1)

    def canonical(self) -> bytes:
        """Return the record as JSON with sorted keys and no spaces."""
        return msgspec.json.encode(self, order="sorted")

    def sealed(self) -> "AuditRecord":
        """Return the record with its hash filled in."""
        content = msgspec.structs.replace(self, hash="").canonical()
        return msgspec.structs.replace(self, hash=hashlib.sha256(content).hexdigest())
