"""Where an alias points, and the moves that brought it there."""

from typing import Final

import msgspec

from models.audit.chain import Entry
from models.schema.audit_record import AuditKind, AuditRecord, Detail

MOVE: Final[AuditKind] = "alias-move"


class Alias(msgspec.Struct, frozen=True):
    """A name and the version it stands for; the higher `sequence` is the later move. `at` is in ms."""

    name: str
    version: str
    sequence: int
    actor: str
    reason: str
    at: int


class AliasMove(msgspec.Struct, frozen=True):
    """One move of one alias as the audit tells it; `before` is None where it pointed nowhere, `at` is in ms."""

    sequence: int
    action: str
    alias: str
    version: str
    before: str | None
    actor: str
    reason: str
    at: int

    @classmethod
    def of(cls, record: AuditRecord) -> "AliasMove":
        """Read a record of the kind `alias-move`."""
        details = record.details
        before = details["before"]
        return cls(
            sequence=record.sequence,
            action=str(details["action"]),
            alias=str(details["alias"]),
            version=record.subject,
            before=None if before is None else str(before),
            actor=record.actor,
            reason=record.reason,
            at=record.time_ms,
        )

    def as_alias(self) -> Alias:
        """Return where the alias points after this move."""
        return Alias(self.alias, self.version, self.sequence, self.actor, self.reason, self.at)


def move_entry(
    action: str, alias: str, version: str, before: str | None, actor: str, reason: str, **details: Detail
) -> Entry:
    """Return what the audit says of a move."""
    return Entry(MOVE, actor, reason, version, {"action": action, "alias": alias, "before": before, **details})
