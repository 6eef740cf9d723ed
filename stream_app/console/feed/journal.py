"""The last entries of a kind, in memory."""

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from stream_app.console.feed.entry import Entry


class Journal:
    """Written by one thread, read by any.

    Parameters
    ----------
    kind: of the entries.
    size: as many are kept.
    lossy: whether a reader that missed some goes on without a word, as it does for a sample.

    Attributes
    ----------
    generation: grows when what was there before counts no more, as after the topic was created anew.
    """

    def __init__(self, kind: str, size: int, *, lossy: bool = False) -> None:
        self.kind, self.lossy = kind, lossy
        self.generation = 0
        self._entries: deque[Entry] = deque(maxlen=size)
        self._lock = threading.Lock()
        self._count = 0
        self._reached: dict[int, int] = {}
        self._first: dict[int, int] = {}

    def begin(self, partition: int, offset: int) -> None:
        """Say from which offset on the journal is complete."""
        with self._lock:
            self._first[partition] = offset
            self._reached[partition] = offset - 1

    def append(self, partition: int, offset: int | None, time_ms: int, data: Mapping[str, Any]) -> Entry:
        """Add an entry; without an offset its number stands for one."""
        with self._lock:
            self._count += 1
            place = self._count if offset is None else offset
            if place <= self._reached.get(partition, -1):
                self._start_anew(partition, place)
            if self._entries and len(self._entries) == self._entries.maxlen:
                gone = self._entries[0]
                self._first[gone.partition] = gone.offset + 1
            entry = Entry(self.kind, self._count, partition, place, time_ms, data)
            self._entries.append(entry)
            self._reached[partition] = place
            return entry

    def latest(self, count: int) -> list[Entry]:
        """Return the last `count` entries, the oldest first."""
        with self._lock:
            return list(self._entries)[-count:] if count > 0 else []

    def after(self, number: int) -> list[Entry]:
        """Return the entries behind the one of a number, as far as they are kept, the oldest first."""
        found: list[Entry] = []
        with self._lock:
            for entry in reversed(self._entries):
                if entry.number <= number:
                    break
                found.append(entry)
        return found[::-1]

    def find(self, partition: int, offset: int) -> Entry | None:
        """Return the entry of a record, None where it is not kept."""
        with self._lock:
            found = (entry for entry in self._entries if (entry.partition, entry.offset) == (partition, offset))
            return next(found, None)

    @property
    def number(self) -> int:
        """Number of the last entry, 0 before the first."""
        return self._count

    def place(self) -> dict[int, int]:
        """Return the offset that each partition was read up to."""
        with self._lock:
            return dict(self._reached)

    def number_at(self, place: Mapping[int, int]) -> int | None:
        """Return the number of the last entry that somebody at a place has seen; None where some are gone since."""
        with self._lock:
            for partition, offset in place.items():
                if offset > self._reached.get(partition, -1):
                    return None
                if not self.lossy and offset + 1 < self._first.get(partition, 0):
                    return None
            if not self.lossy and any(self._first.get(one, 0) > 0 for one in self._reached if one not in place):
                return None
            for entry in self._entries:
                if entry.offset > place.get(entry.partition, -1):
                    return entry.number - 1
            return self._count

    def _start_anew(self, partition: int, offset: int) -> None:
        self._entries.clear()
        self.generation += 1
        self._first[partition] = offset
