"""Single transactions out of the archive's Delta tables, bounded by event days and by time."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from models.errors import FraudstreamError
from models.schema.label import Label
from models.schema.topics import DAY_MS, FEATURES, LABELS, SCORES, TRANSACTIONS
from stream_app.archive.history import ArchivedHistory
from stream_app.archive.table_files import quoted
from stream_app.console.records.place import Place
from stream_app.console.records.recent import PAST_COLUMNS, PastPayment, newest_first
from stream_app.console.records.statements import Statement

LONGEST_S: Final = 8.0
"""What a person waits for; what is not found by then is looked for in a narrower range of days."""
_DAYS_AT_ONCE: Final = 16
_MOST_PLACES: Final = 10


class ArchiveTooSlowError(FraudstreamError):
    """Raised when a search had to be broken off."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A score in the archive."""

    day: int
    place: Place


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search found, and how far it came.

    Attributes
    ----------
    days: event days that were looked through, the newest first.
    complete: whether those are all there are.
    """

    hits: Sequence[Hit]
    days: Sequence[int]
    complete: bool


class ArchivedRecords:
    """Looks into the newest version of the tables; every call opens them anew and may run on any thread.

    Parameters
    ----------
    url: the archive's folder or URL.
    storage_options: what the object store asks for.
    longest_s: how long one call may take.
    """

    def __init__(
        self,
        url: str,
        storage_options: Mapping[str, str] | None = None,
        longest_s: float = LONGEST_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self._storage_options = dict(storage_options or {})
        self._longest_s = longest_s
        self._clock_s = clock_s

    def find(self, transaction_id: str, day: int | None = None) -> Looked:
        """Look for an identifier, the newest event days first; raises ArchiveMissingError where there is no archive."""
        wanted = f"kept AND transaction_id = {quoted(transaction_id)}"
        return self._find(wanted, day)

    def find_place(self, place: Place) -> Looked:
        """Look for a place."""
        return self._find(f"kept AND {_at(place, 'source_offset')} AND epoch = {place.epoch}", None)

    def row(self, hit: Hit) -> dict[str, dict[str, Any] | None]:
        """The score, feature row and transaction at a place: what the view `scored` joins, one by one."""
        place = hit.place
        epoch = f" AND epoch = {place.epoch}"
        with self._open() as history:
            scores = _rows(history, SCORES, [hit.day], f"kept AND {_at(place, 'source_offset')}{epoch}", "kafka_offset")
            score = scores[0] if scores else None
            writer = quoted("" if score is None else score["writer"])
            own = f"writer = {writer} AND NOT recomputed DESC, kafka_offset"
            at = f"{_at(place, 'source_offset')}{epoch} AND (writer = {writer} OR recomputed)"
            features = _rows(history, FEATURES, [hit.day], at, own)
            sent = _rows(history, TRANSACTIONS, [hit.day], _at(place, "kafka_offset"), "kafka_timestamp DESC")
        of_id = [row for row in sent if score is not None and row["transaction_id"] == score["transaction_id"]]
        return {
            SCORES: score,
            FEATURES: features[0] if features else None,
            TRANSACTIONS: of_id[0] if of_id else None,
        }

    def statements(self, transaction_id: str, day: int) -> list[Statement]:
        """Everything stated about a transaction of an event day, the statement that holds last."""
        with self._open() as history:
            rows = _rows(history, LABELS, [day], f"transaction_id = {quoted(transaction_id)}", "kafka_offset")
        fields = Label.__struct_fields__
        found = [
            Statement(Label(*(row[name] for name in fields)), row["kafka_partition"], row["kafka_offset"])
            for row in rows
        ]
        return sorted(found, key=lambda said: said.rank)

    def past(self, column: str, value: str, until_ms: int, days: int, most: int) -> list[PastPayment]:
        """The payments of a card or at a terminal in the event days up to a moment, the newest first.

        Parameters
        ----------
        column: card_id or terminal_id.
        """
        last = until_ms // DAY_MS
        with self._open() as history:
            there = [day for day in history.days(FEATURES) if last - days < day <= last]
            condition = f"{column} = {quoted(value)} AND event_time <= {until_ms:d}"
            columns = ", ".join([*PAST_COLUMNS, "kafka_partition AS partition"])
            # A row that was computed again stands there twice.
            rows = _rows(history, FEATURES, there, condition, "event_time DESC", 2 * most, columns)
        return newest_first(rows, most)

    def _find(self, wanted: str, day: int | None) -> Looked:
        until_s = self._clock_s() + self._longest_s
        looked: list[int] = []
        with self._open() as history:
            days = sorted(history.days(), reverse=True) if day is None else [day]
            for first in range(0, len(days), _DAYS_AT_ONCE):
                if self._clock_s() > until_s:
                    return Looked((), looked, complete=False)
                block = days[first : first + _DAYS_AT_ONCE]
                rows = _rows(history, SCORES, block, wanted, "event_time DESC, kafka_partition", _MOST_PLACES)
                looked += block
                if rows:
                    return Looked([_hit(row) for row in rows], looked, complete=False)
        return Looked((), looked, complete=day is None)

    @contextmanager
    def _open(self) -> Iterator[ArchivedHistory]:
        """Open the tables; whoever takes too long is interrupted."""
        with ArchivedHistory(self.url, storage_options=self._storage_options) as history:
            alarm = threading.Timer(self._longest_s, history.interrupt)
            alarm.start()
            try:
                yield history
            except duckdb.InterruptException:
                raise ArchiveTooSlowError(
                    f"the archive at {self.url} took longer than {self._longest_s:g} s; name an event day"
                ) from None
            finally:
                alarm.cancel()
                alarm.join()


def _at(place: Place, offset: str) -> str:
    return f"kafka_partition = {place.partition:d} AND {offset} = {place.source_offset:d}"


def _hit(row: dict[str, Any]) -> Hit:
    return Hit(row["event_time"] // DAY_MS, Place(row["kafka_partition"], row["epoch"], row["source_offset"]))


def _rows(
    history: ArchivedHistory,
    table: str,
    days: Sequence[int],
    condition: str,
    order: str,
    most: int = _MOST_PLACES,
    columns: str = "*",
) -> list[dict[str, Any]]:
    if not days:
        return []
    chosen = history.table(table, days).filter(condition).order(order).limit(most).select(columns)
    rows: list[dict[str, Any]] = chosen.to_arrow_table().to_pylist()
    return rows
