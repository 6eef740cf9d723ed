"""Reads the audit into its journal from Redis, where it is written: Kafka's copy follows when somebody publishes it."""

import time
from typing import Final

import msgspec

from models.audit.chain import AuditError, decoded
from models.audit.log import AuditLog
from stream_app.console.feed.journal import Journal

_WAIT_S: Final = 0.2
_BATCH: Final = 500


class AuditReader:
    """Asks a few times a second for what stands behind the last record; the offset in the journal is its number.

    Parameters
    ----------
    log: the audit.
    journal: of it.
    keep: records that are read at the start.
    """

    def __init__(self, log: AuditLog, journal: Journal, keep: int) -> None:
        self._log, self._journal, self._keep = log, journal, keep
        self._place = 0
        self._last: bytes | None = None

    def open(self) -> None:
        """Begin where what is kept begins, or where this process has read up to."""
        reached = self._journal.place().get(0)
        if reached is None:
            reached = max(0, self._length() - self._keep)
            self._journal.begin(0, reached + 1)
        self._place = reached
        self._last = next(iter(self._log.lines(reached, 1)), None) if reached else None

    def turn(self) -> bool:
        """Take what has come; return whether it was something."""
        time.sleep(_WAIT_S)
        # With the last one again, so that another chain in its place is seen.
        lines = self._log.lines(max(1, self._place), _BATCH)
        if self._place:
            if lines[:1] != [self._last]:
                self._place, self._last = 0, None
                return False
            lines = lines[1:]
        for line in lines:
            self._place, self._last = self._place + 1, line
            self._take(line)
        return bool(lines)

    def close(self) -> None:
        """Leave the connection to whoever else uses it."""

    def _length(self) -> int:
        try:
            head = self._log.head()
        except AuditError:  # somebody changed the last record: everything is read, its number is not to be trusted
            return 0
        return 0 if head is None else head.sequence

    def _take(self, line: bytes) -> None:
        try:
            (record,) = decoded([line], "Redis")
        except AuditError:  # the audit page says so
            return
        self._journal.append(0, self._place, record.time_ms, msgspec.to_builtins(record))
