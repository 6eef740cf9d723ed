"""Labels waiting until they are due."""

import heapq
import itertools
from collections.abc import Iterable

from models.schema.label import Label, LabelSource
from models.schema.transaction import Transaction


class LabelQueue:
    """Gives out labels in the order in which they become known.

    Examples
    --------
    >>> fraud = Transaction("h1", 1_525_132_800_000, "c1", "t1", 5, "EUR")
    >>> queue = LabelQueue([label_of(fraud, delay_ms=10, source="analyst")])
    >>> queue.due(fraud.event_time + 9), [label.transaction_id for label in queue.due(fraud.event_time + 10)]
    ([], ['h1'])
    """

    def __init__(self, labels: Iterable[Label] = ()) -> None:
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, Label]] = []
        for label in labels:
            self.add(label)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, label: Label) -> None:
        """Put a label in."""
        heapq.heappush(self._waiting, (label.labelled_at, next(self._numbers), label))

    def due(self, until_ms: int) -> list[Label]:
        """Take out the labels known at an event time."""
        labels = []
        while self._waiting and self._waiting[0][0] <= until_ms:
            labels.append(heapq.heappop(self._waiting)[2])
        return labels


def label_of(fraud: Transaction, delay_ms: int, source: LabelSource) -> Label:
    """Return the label that says, some time after it, that a transaction was fraud."""
    return Label(
        transaction_id=fraud.transaction_id,
        card_id=fraud.card_id,
        terminal_id=fraud.terminal_id,
        event_time=fraud.event_time,
        is_fraud=True,
        label_source=source,
        labelled_at=fraud.event_time + delay_ms,
    )
