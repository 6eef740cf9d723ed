"""What is looked for in the audit."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Final, Self, get_args
from urllib.parse import urlencode

from models.errors import FraudstreamError
from models.schema.audit_record import AuditKind, AuditRecord

_HASH_PART: Final = 8
KINDS: tuple[str, ...] = get_args(AuditKind)


class QueryError(FraudstreamError):
    """Raised for a time that is none."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What a form asks for; an empty field asks for nothing.

    Attributes
    ----------
    actor: who acted, or approved; a part of the name is enough, capitals do not count.
    kind: the sort of act.
    version: a model that the record is about or names.
    text: words that stand anywhere in the record, or the beginning of its hash or of the one before.
    since, until: UTC times as a form writes them; `until` is no longer in it, a day without an hour is the whole day.
    """

    actor: str = ""
    kind: str = ""
    version: str = ""
    text: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Self:
        """Take what a form holds."""
        return cls(**{field.name: form.get(field.name, "").strip() for field in fields(cls)})

    @property
    def asks(self) -> dict[str, str]:
        """The fields that ask for something."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}

    def link(self, **more: object) -> str:
        """Return the query of an address that asks the same, and more.

        Examples
        --------
        >>> AuditQuery(actor="ada", text="too many").link(before=7)
        '?actor=ada&text=too+many&before=7'
        """
        return "?" + urlencode({**self.asks, **{name: str(value) for name, value in more.items()}})

    def matcher(self) -> "Matcher":
        """Return what tells whether a record is meant; raises QueryError for a time that is none."""
        return Matcher(
            actor=self.actor.casefold(),
            kind=self.kind,
            version=self.version.casefold(),
            words=tuple(self.text.casefold().split()),
            since_ms=_from(self.since),
            until_ms=_until(self.until),
        )


@dataclass(frozen=True, slots=True)
class Matcher:
    """A query ready to be asked of many records."""

    actor: str
    kind: str
    version: str
    words: tuple[str, ...]
    since_ms: int | None
    until_ms: int | None

    def fits(self, record: AuditRecord) -> bool:
        """Whether a record is meant."""
        return (
            (not self.kind or record.kind == self.kind)
            and (self.since_ms is None or record.time_ms >= self.since_ms)
            and (self.until_ms is None or record.time_ms < self.until_ms)
            and (not self.actor or any(self.actor in each.casefold() for each in _actors(record)))
            and (not self.version or any(self.version in each.casefold() for each in _about(record)))
            and self._says(record)
        )

    def _says(self, record: AuditRecord) -> bool:
        if not self.words:
            return True
        said = " ".join((record.kind, record.actor, record.reason, record.event_id or "", *_about(record))).casefold()
        hashes = record.hash, record.previous_hash
        return all(word in said or _begins(hashes, word) for word in self.words)


def _actors(record: AuditRecord) -> Iterator[str]:
    yield record.actor
    for name in ("approved_by", "proposed_by"):
        value = record.details.get(name)
        if isinstance(value, str):
            yield value


def _about(record: AuditRecord) -> Iterator[str]:
    yield record.subject
    for value in record.details.values():
        if isinstance(value, str):
            yield value


def _begins(hashes: Iterable[str], word: str) -> bool:
    """Whether a word is a hash, or the beginning of one that is long enough to mean it."""
    return len(word) >= _HASH_PART and any(each.startswith(word) for each in hashes)


def _from(text: str) -> int | None:
    return _moment(text)[0] if text else None


def _until(text: str) -> int | None:
    if not text:
        return None
    at_ms, whole_day = _moment(text)
    return at_ms + int(timedelta(days=1).total_seconds() * 1000) if whole_day else at_ms


def _moment(text: str) -> tuple[int, bool]:
    """Return the time in ms, and whether it is a day without an hour."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(f"{text!r} is no time; write it as 2026-11-26 or 2026-11-26T14:30, in UTC") from None
    read = read.replace(tzinfo=UTC) if read.tzinfo is None else read
    return int(read.timestamp() * 1000), len(text) <= len("2026-11-26")
