"""Who was champion when, and what was tried beside it, as the audit tells it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from models.alias import MOVE
from models.registry import CHAMPION
from models.schema.audit_record import AuditRecord

Stage = Literal["shadow", "canary"]

_BEGINS: Final[dict[str, Stage]] = {"shadow started": "shadow", "canary started": "canary"}
_ENDS: Final = frozenset({"canary started", "promoted", "withdrawn", "adopted", "rolled back"})


@dataclass(frozen=True, slots=True)
class Reign:
    """A version as champion.

    Attributes
    ----------
    version: the champion.
    from_ms, until_ms: wall clock, ms; `until_ms` is None while it lasts.
    action: promote, rollback or move.
    actor, approved_by: who moved, and the second person; None where there was none.
    reason: why.
    sequence: of the move's audit record.
    """

    version: str
    from_ms: int
    until_ms: int | None
    action: str
    actor: str
    approved_by: str | None
    reason: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A version beside the champion, in shadow or as a canary; `until_ms` is None while it lasts."""

    version: str
    stage: Stage
    from_ms: int
    until_ms: int | None


def reigns(records: Iterable[AuditRecord]) -> list[Reign]:
    """Return every reign, the oldest first."""
    moves = [record for record in records if record.kind == MOVE and record.details.get("alias") == CHAMPION]
    found = []
    for index, move in enumerate(moves):
        approved_by = move.details.get("approved_by")
        found.append(
            Reign(
                version=move.subject,
                from_ms=move.time_ms,
                until_ms=moves[index + 1].time_ms if index + 1 < len(moves) else None,
                action=str(move.details["action"]),
                actor=move.actor,
                approved_by=None if approved_by is None else str(approved_by),
                reason=move.reason,
                sequence=move.sequence,
            )
        )
    return found


def trials(records: Iterable[AuditRecord]) -> list[Trial]:
    """Return every stage of a release before promotion, the oldest first."""
    found: list[Trial] = []
    running: Trial | None = None
    for record in records:
        if record.kind != "release":
            continue
        event = str(record.details["event"])
        if running is not None and event in _ENDS | _BEGINS.keys():
            found.append(Trial(running.version, running.stage, running.from_ms, record.time_ms))
            running = None
        if event in _BEGINS:
            running = Trial(record.subject, _BEGINS[event], record.time_ms, None)
    return found if running is None else [*found, running]
