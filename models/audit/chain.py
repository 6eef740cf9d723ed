"""Records that follow one another, and where a chain of them was changed, cut, filled up or put out of order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from models.errors import FraudstreamError
from models.schema.audit_record import AuditKind, AuditRecord, Detail
from models.schema.card_numbers import mask


class AuditError(FraudstreamError):
    """Raised when an audit record was changed, removed, put in or moved; the message says which."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written into the audit; see `AuditRecord` for the fields.

    Examples
    --------
    >>> Entry("login", "ada", "password and key", "console").details
    {}
    """

    kind: AuditKind
    actor: str
    reason: str
    subject: str
    details: Mapping[str, Detail] = field(default_factory=dict)
    event_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse an act without somebody who answers for it."""
        if not self.actor.strip() or not self.reason.strip():
            raise AuditError(f"{self.kind} of {self.subject!r} needs an actor and a reason: both go into the audit")


def chained(last: AuditRecord | None, entries: Iterable[Entry], time_ms: int) -> list[AuditRecord]:
    """Turn entries into the records that follow `last`; a card number in a reason is masked, for it stays for ever."""
    records: list[AuditRecord] = []
    for entry in entries:
        sequence, previous_hash = (0, "") if last is None else (last.sequence, last.hash)
        last = AuditRecord(
            sequence=sequence + 1,
            time_ms=time_ms,
            kind=entry.kind,
            actor=entry.actor,
            reason=mask(entry.reason.encode()).decode(),
            subject=entry.subject,
            details=dict(entry.details),
            event_id=entry.event_id,
            previous_hash=previous_hash,
            hash="",
        ).sealed()
        records.append(last)
    return records


def decoded(lines: Iterable[bytes], where: str) -> list[AuditRecord]:
    """Return the records in lines of JSON.

    Raises
    ------
    AuditError: a line is no record, or is written otherwise than its record: each byte counts.
    """
    records = []
    for place, line in enumerate(lines, start=1):
        try:
            record = msgspec.json.decode(line, type=AuditRecord)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise AuditError(
                f"line {place} of {where} is no audit record ({error}): it was changed, or another version wrote it"
            ) from None
        if record.canonical() != line:
            raise AuditError(f"audit record {record.sequence} in {where} was changed: it is not written as it was")
        records.append(record)
    return records


def check_chain(records: Sequence[AuditRecord], where: str = "the audit") -> AuditRecord | None:
    """Return the head of a chain that begins with record 1; None of an empty one.

    Raises
    ------
    AuditError: at the first record that does not follow the one before, saying what was done to it.
    """
    fault = first_fault(records, where)
    if fault is not None:
        raise fault.error
    return records[-1] if records else None


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a chain breaks: the index of the first record that does not follow, and what was done to it."""

    index: int
    error: AuditError


def first_fault(records: Sequence[AuditRecord], where: str, after: AuditRecord | None = None) -> Fault | None:
    """Return where records stop following one another, the first of them `after`, and None where they all do.

    Examples
    --------
    >>> one, two, three = chained(None, [Entry("login", "ada", "key", "console")] * 3, 0)
    >>> fault = first_fault([one, three], "a file")
    >>> fault.index, str(fault.error)
    (1, 'audit record 2 is missing in a file')
    >>> first_fault([two, three], "a file", after=one) is None
    True
    """
    last = after
    for index, record in enumerate(records):
        try:
            _check(record, last, islice(records, index, None), where)
        except AuditError as error:
            return Fault(index, error)
        last = record
    return None


def _check(record: AuditRecord, last: AuditRecord | None, rest: Iterable[AuditRecord], where: str) -> None:
    expected, previous_hash = (1, "") if last is None else (last.sequence + 1, last.hash)
    if record.sealed().hash != record.hash:
        raise AuditError(f"audit record {record.sequence} in {where} was changed: its hash is not that of its content")
    if record.sequence > expected:
        if any(other.sequence == expected for other in rest):
            raise AuditError(f"audit record {record.sequence} in {where} stands before record {expected}: reordered")
        until = "" if record.sequence == expected + 1 else f" to {record.sequence - 1}"
        raise AuditError(f"audit record {expected}{until} is missing in {where}")
    if record.sequence < expected:
        raise AuditError(
            f"audit record {record.sequence} in {where} stands a second time, as number {expected}: put in"
        )
    if record.previous_hash != previous_hash:
        raise AuditError(
            f"audit record {record.sequence} in {where} does not follow the one before it: one of the two was put in, "
            "or changed and hashed again"
        )


def check_copy(copy: Sequence[AuditRecord], original: Sequence[AuditRecord], names: tuple[str, str]) -> None:
    """Raise AuditError where two whole chains differ; the copy may end earlier.

    Parameters
    ----------
    copy, original: both checked.
    names: what the two are called.
    """
    for mine, other in zip(copy, original, strict=False):
        if mine != other:
            raise AuditError(
                f"audit record {mine.sequence} in {names[0]} is another than in {names[1]}: one of the two was "
                "rewritten; a signed head or an exported file tells which"
            )
    if len(copy) > len(original):
        first, last = original[-1].sequence + 1 if original else 1, copy[-1].sequence
        until = "" if first == last else f" to {last}"
        raise AuditError(f"audit record {first}{until} is missing in {names[1]}: cut off, for {names[0]} has it")
