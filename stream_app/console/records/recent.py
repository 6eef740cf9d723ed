"""The last rows of the feature log in memory, without their values: what a card and a terminal did lately."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from models.schema.feature_batch import FeatureRows
from stream_app.console.records.place import Place

MOST_ROWS: Final = 200_000
"""About 30 MB."""
_JOIN_AFTER: Final = 256
"""Small messages are joined, so that a look goes through few pieces."""
_TYPES: Final[dict[str, pa.DataType]] = {
    "source_offset": pa.int64(),
    "epoch": pa.int32(),
    "transaction_id": pa.string(),
    "event_time": pa.int64(),
    "card_id": pa.string(),
    "terminal_id": pa.string(),
    "amount_minor": pa.int64(),
    "currency": pa.string(),
    "score": pa.float32(),
    "decision": pa.string(),
    "control": pa.bool_(),
}
PAST_COLUMNS: Final = tuple(_TYPES)
_COLUMNS: Final = pa.schema(_TYPES)


@dataclass(frozen=True, slots=True)
class PastPayment:
    """One line of a history."""

    place: Place
    transaction_id: str
    event_time: int
    card_id: str
    terminal_id: str
    amount_minor: int
    currency: str
    score: float
    decision: str
    control: bool


class RecentRows:
    """Bounded by rows; read by any thread.

    Parameters
    ----------
    most: rows to keep.
    """

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._parts: deque[pa.Table] = deque()
        self._rows = 0
        self._small = 0
        self._most = most
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._rows

    def add(self, partition: int, rows: FeatureRows) -> None:
        """Take a message's rows."""
        taken = pa.Table.from_batches([rows.table]).select(_COLUMNS.names).cast(_COLUMNS)
        places: Any = pa.array([partition] * len(rows), pa.int32())
        with self._lock:
            self._parts.append(taken.append_column("partition", places))
            self._rows += len(rows)
            self._small += 1
            if self._small >= _JOIN_AFTER:
                fresh = [self._parts.pop() for _ in range(self._small)][::-1]
                self._parts.append(pa.concat_tables(fresh).combine_chunks())
                self._small = 0
            while self._rows > self._most and len(self._parts) > 1:
                self._rows -= len(self._parts.popleft())
                self._small = min(self._small, len(self._parts))

    def of_card(self, card_id: str, most: int) -> list[PastPayment]:
        """The last payments of a card, the newest first."""
        return self._where("card_id", card_id, most)

    def of_terminal(self, terminal_id: str, most: int) -> list[PastPayment]:
        """The last payments at a terminal, the newest first."""
        return self._where("terminal_id", terminal_id, most)

    def of_transaction(self, transaction_id: str, most: int = 10) -> list[PastPayment]:
        """The places of an identifier; a bank that sends one twice has several."""
        return self._where("transaction_id", transaction_id, most)

    def _where(self, column: str, value: str, most: int) -> list[PastPayment]:
        with self._lock:
            parts = list(self._parts)
        if not parts:
            return []
        found = pa.concat_tables([part.filter(pc.equal(part.column(column), pa.scalar(value))) for part in parts])
        # A row that was computed again stands there twice; a busy terminal has thousands.
        newest = pc.sort_indices(found, sort_keys=[("event_time", "descending")])[: 2 * most]
        return newest_first(found.take(newest).to_pylist(), most)


def newest_first(rows: Sequence[dict[str, Any]], most: int) -> list[PastPayment]:
    """Return rows as payments, each place once, the newest `most` of them."""
    by_place = {Place(row["partition"], row["epoch"], row["source_offset"]): row for row in rows}
    payments = [PastPayment(place, **{name: row[name] for name in PAST_COLUMNS[2:]}) for place, row in by_place.items()]
    return sorted(payments, key=lambda one: (one.event_time, one.place), reverse=True)[:most]
