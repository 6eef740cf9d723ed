"""Where an alias points, and the chain of audit records of how it came there."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from models.errors import FraudstreamError


class AuditError(FraudstreamError):
    """Raised when an audit record was changed, removed or put in."""


class Alias(msgspec.Struct, frozen=True):
    """A name and the version it stands for; the higher `sequence` is the later move. `at` is in ms."""

    name: str
    version: str
    sequence: int
    actor: str
    reason: str
    at: int


class Move(NamedTuple):
    """One alias to be moved; `at` is in ms."""

    action: str
    alias: str
    version: str
    actor: str
    reason: str
    at: int


class AuditRecord(msgspec.Struct, frozen=True):
    """One move; `hash` is the SHA-256 of the record with `hash` empty, which includes the hash of the one before."""

    sequence: int
    action: str
    alias: str
    version: str
    before: str | None
    actor: str
    reason: str
    at: int
    previous_hash: str
    hash: str = ""

    def sealed(self) -> "AuditRecord":
        """Return the record with its hash filled in."""
        content = msgspec.json.encode(msgspec.structs.replace(self, hash=""), order="sorted")
        return msgspec.structs.replace(self, hash=hashlib.sha256(content).hexdigest())

    def as_alias(self) -> Alias:
        """Return where the alias points after this move."""
        return Alias(self.alias, self.version, self.sequence, self.actor, self.reason, self.at)


def chained(last: AuditRecord | None, moves: Iterable[Move], aliases: Mapping[str, Alias]) -> list[AuditRecord]:
    """Turn moves into records that follow `last`; `aliases` says where each pointed before."""
    records: list[AuditRecord] = []
    for move in moves:
        sequence, previous_hash = (last.sequence, last.hash) if last is not None else (0, "")
        before = aliases[move.alias].version if move.alias in aliases else None
        last = AuditRecord(
            sequence=sequence + 1,
            action=move.action,
            alias=move.alias,
            version=move.version,
            before=before,
            actor=move.actor,
            reason=move.reason,
            at=move.at,
            previous_hash=previous_hash,
        ).sealed()
        records.append(last)
    return records


def check_chain(records: Sequence[AuditRecord]) -> None:
    """Raise AuditError at the first record that does not follow the one before."""
    previous_hash = ""
    for place, record in enumerate(records, start=1):
        if record.sequence != place or record.previous_hash != previous_hash or record.sealed().hash != record.hash:
            raise AuditError(f"audit record {place} does not follow the one before it: the audit list was altered")
        previous_hash = record.hash
