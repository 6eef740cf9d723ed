"""What labels say about transactions: the latest statement that is due counts, while its transaction does."""

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.features.terminal_counts import TerminalCounts


class Statement(NamedTuple):
    """One label; statements compare by when they were made and then by their offset."""

    labelled_at: int
    offset: tuple[int, int]
    transaction: int
    event_time: int
    is_fraud: bool


class LabelStatements:
    """Hands statements to the counts when they are due, and keeps those whose transaction has not come yet.

    Parameters
    ----------
    counts: where the statements are marked.
    """

    def __init__(self, counts: TerminalCounts) -> None:
        self._counts = counts
        self._pending: list[Statement] = []
        self._latest: dict[int, Statement] = {}
        self._without_row: set[int] = set()

    def __len__(self) -> int:
        """Return how many statements are held."""
        return len(self._pending) + len(self._latest)

    def add(self, statement: Statement) -> None:
        """Keep a statement until it is due; one whose transaction is in no window any more is dropped."""
        if self._counts.is_live(statement.event_time):
            heappush(self._pending, statement)

    def take_due(self, as_of: int) -> None:
        """Mark what every statement made by `as_of` says, the latest of each transaction."""
        due: dict[int, Statement] = {}
        while self._pending and self._pending[0].labelled_at <= as_of:
            statement = heappop(self._pending)
            latest = self._latest.get(statement.transaction)
            if latest is None or statement > latest:
                self._latest[statement.transaction] = due[statement.transaction] = statement
        self._mark(due.values())

    def transactions_came(self, transactions: npt.NDArray[np.uint64]) -> None:
        """Mark the statements that were waiting for these transactions."""
        if self._without_row:
            came = self._without_row.intersection(transactions.tolist())
            self._mark([self._latest[transaction] for transaction in came])

    def forget(self) -> None:
        """Drop the statements whose transactions left every window."""
        live = self._counts.is_live
        self._pending = sorted(s for s in self._pending if live(s.event_time))
        self._latest = {key: s for key, s in self._latest.items() if live(s.event_time)}
        self._without_row &= self._latest.keys()

    def _mark(self, statements: Iterable[Statement]) -> None:
        chosen = list(statements)
        transactions = np.array([s.transaction for s in chosen], np.uint64)
        stored = self._counts.mark(transactions, np.array([s.is_fraud for s in chosen], np.bool_))
        for statement, is_stored in zip(chosen, stored.tolist(), strict=True):
            if is_stored:
                self._without_row.discard(statement.transaction)
            else:
                self._without_row.add(statement.transaction)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return every statement as arrays."""
        held = [*self._pending, *self._latest.values()]
        return {
            "labelled_at": np.array([s.labelled_at for s in held], np.int64),
            "label_offset": np.array([s.offset for s in held], np.int64).reshape(-1, 2),
            "label_transaction": np.array([s.transaction for s in held], np.uint64),
            "label_event_time": np.array([s.event_time for s in held], np.int64),
            "label_is_fraud": np.array([s.is_fraud for s in held], np.bool_),
        }

    def restore(self, arrays: dict[str, npt.NDArray[np.generic]], as_of: int) -> None:
        """Take the statements of a snapshot; those due by `as_of` are marked again."""
        names = ("labelled_at", "label_offset", "label_transaction", "label_event_time", "label_is_fraud")
        columns = (arrays[name].tolist() for name in names)
        for labelled_at, offset, transaction, event_time, is_fraud in zip(*columns, strict=True):
            self.add(Statement(labelled_at, tuple(offset), transaction, event_time, is_fraud))
        self.take_due(as_of)
