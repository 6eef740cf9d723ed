"""The audit as it stands in Redis: every record that can be read, and where the chain breaks."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.audit.chain import AuditError, decoded, first_fault
from models.schema.audit_record import AuditRecord

_WHERE = "Redis"


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain breaks.

    Attributes
    ----------
    place: of the line in the list, from 1.
    sequence: number of the record that does not follow; None where the line is no record.
    sentence: what was done to it.
    """

    place: int
    sequence: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class AuditChain:
    """What was read.

    Attributes
    ----------
    records: every line that is a record, in the order in which they stand.
    broken: where the chain breaks first; None where it holds.
    """

    records: tuple[AuditRecord, ...] = ()
    broken: Break | None = None

    @property
    def head(self) -> AuditRecord | None:
        """The last record."""
        return self.records[-1] if self.records else None


class AuditReading:
    """Reads and checks the chain; bytes that were checked before are compared, not checked again.

    Safe to use from several threads.

    Parameters
    ----------
    lines: gives every line of the audit as it is kept, from a number on.

    Examples
    --------
    >>> AuditReading(lambda _first: []).read()
    AuditChain(records=(), broken=None)
    """

    def __init__(self, lines: Callable[[int], list[bytes]]) -> None:
        self._lines = lines
        self._lock = threading.Lock()
        self._checked: list[bytes] = []
        self._records: list[AuditRecord] = []

    def read(self, *, whole: bool = True) -> AuditChain:
        """Return the chain as it stands now.

        Parameters
        ----------
        whole: whether all lines are asked for; else only the last one that is known and what stands behind it, so that
            a page that stands open costs Redis next to nothing.
        """
        with self._lock:
            tail = None if whole else self._tail()
            if tail is None:
                lines = self._lines(1)
                known = len(self._checked)
                if lines[:known] != self._checked:
                    self._checked, self._records, known = [], [], 0
                tail = lines[known:]
            chain = _checked(self._records, tail)
            if chain.broken is None:
                self._checked += tail
                self._records = list(chain.records)
            return chain

    def _tail(self) -> list[bytes] | None:
        """Return the lines behind the known ones; None where the last of these is no longer there."""
        if not self._checked:
            return None
        found = self._lines(len(self._checked))
        return found[1:] if found[:1] == self._checked[-1:] else None


def _checked(before: Sequence[AuditRecord], lines: Sequence[bytes]) -> AuditChain:
    """Check what stands behind records that follow one another."""
    records: list[AuditRecord] = []
    places: list[int] = []
    unread: Break | None = None
    for place, line in enumerate(lines, start=len(before) + 1):
        try:
            records += decoded([line], _WHERE)
            places.append(place)
        except AuditError as error:
            unread = unread or Break(place, None, _of_line(error, place))
    fault = first_fault(records, _WHERE, before[-1] if before else None)
    broken = None if fault is None else Break(places[fault.index], records[fault.index].sequence, str(fault.error))
    if unread is not None and (broken is None or unread.place <= broken.place):
        broken = unread
    return AuditChain((*before, *records), broken)


def _of_line(error: AuditError, place: int) -> str:
    return str(error).replace(f"line 1 of {_WHERE}", f"line {place} of {_WHERE}")
