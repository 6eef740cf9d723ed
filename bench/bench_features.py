"""Features: CPU per transaction for columns and for a whole feature row, beside windows in plain Python.

The baseline keeps each card's transactions in a deque and computes count, sum and mean over four windows from it: 12
figures, where the row has 70.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from bench.hot_path import HotPath, batches_of, in_turn, run
from bench.workload import Workload
from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.money import default_reporting_currency
from models.schema.topics import DAY_MS
from models.schema.transaction import Transaction

BATCHES: Final = 20
SIZES: Final = (1, 20, 500)
PAST: Final = 100_000
"""Transactions that fill the windows before anything is measured."""
WINDOWS_MS: Final = tuple(days * DAY_MS for days in (1, 7, 14, 30))
RATES: Final = default_reporting_currency()


class PlainWindows:
    """What a service without arrays would do."""

    def __init__(self) -> None:
        self._cards: defaultdict[str, deque[tuple[int, int]]] = defaultdict(deque)

    def rows(self, batch: Sequence[Transaction]) -> list[list[float]]:
        """Twelve figures for each transaction."""
        return [self._row(transaction) for transaction in batch]

    def _row(self, transaction: Transaction) -> list[float]:
        entries, now = self._cards[transaction.card_id], transaction.event_time
        while entries and entries[0][0] <= now - WINDOWS_MS[-1]:
            entries.popleft()
        figures: list[float] = []
        for window in WINDOWS_MS:
            amounts = [amount for at, amount in entries if at > now - window]
            figures += (len(amounts), sum(amounts), sum(amounts) / len(amounts) if amounts else 0.0)
        entries.append((now, transaction.amount_minor))
        return figures


def measure(rounds: int) -> Iterator[HotPath]:
    needed = rounds * BATCHES * sum(SIZES)
    values = [value for _, value in Workload.simulated(PAST + needed).messages]
    transactions, _, _ = decode_transactions(values, RATES)
    cards, profiles, plain = CardState(DEFAULT), ProfileTable(DEFAULT), PlainWindows()
    cards.advance(_columns(transactions[:PAST]), None, np.zeros(PAST, np.uint8))
    plain.rows(transactions[:PAST])

    def row(batch: Sequence[Transaction]) -> None:
        columns = _columns(batch)
        out, status = np.empty((len(batch), len(DEFAULT)), np.float32), np.zeros(len(batch), np.uint8)
        profiles.fill(columns, out)
        cards.advance(columns, out, status)

    start = PAST
    for size in SIZES:
        fresh = transactions[start : start + rounds * BATCHES * size]
        start += len(fresh)
        batches = batches_of(fresh, size, rounds, BATCHES)
        yield in_turn(f"columns and features, batch of {size}", row, batches, "12 in plain Python", plain.rows, batches)
    yield in_turn(f"columns, batch of {size}", _columns, batches, "attributes to tuples", _tuples, batches)


def _columns(batch: Sequence[Transaction]) -> TransactionColumns:
    return TransactionColumns.from_transactions(batch, RATES)


def _tuples(batch: Sequence[Transaction]) -> object:
    return list(zip(*((t.event_time, t.amount_minor, t.card_id, t.terminal_id) for t in batch), strict=True))


if __name__ == "__main__":
    run(__doc__, measure)
