"""Checkpoints: CPU to write a whole one, to write an increment and to restore, beside pickle of a dict of lists.

Both write to and read from a file, ours with its checksum. An increment holds the cards that a few seconds touched.
"""

import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.hot_path import HotPath, in_turn, run
from bench.workload import Workload
from models.features.card_state import CardArrays, CardState
from models.features.feature_set import DEFAULT
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.money import default_reporting_currency
from stream_app.checkpoints import CheckpointStore

EVENTS: Final = 200_000
CHANGES: Final = 5_000
"""Transactions between two increments."""
KIND: Final = "bench"


class Bench:
    """A full state, and a folder to write to."""

    def __init__(self, folder: Path, rounds: int) -> None:
        values = [value for _, value in Workload.simulated(EVENTS + (rounds + 1) * CHANGES).messages]
        currency = default_reporting_currency()
        columns = TransactionColumns.from_transactions(decode_transactions(values, currency)[0], currency)
        self._store, self._file, self._names = CheckpointStore(str(folder)), folder / "pickle", 0
        self._cards = CardState(DEFAULT)
        self._advance(columns.slice(0, EVENTS))
        self._cards.take_changes()
        self._changes = iter(columns.slice(at, at + CHANGES) for at in range(EVENTS, len(columns), CHANGES))
        self.cards = self._cards.cards
        self.plain = _plain(self._cards.everything())

    def increment(self) -> CardArrays:
        """What some more transactions change; the cards are taken from the state when it is written."""
        self._advance(next(self._changes))
        return self._cards.take_changes()

    def write(self, arrays: CardArrays) -> str:
        """One checkpoint."""
        self._names += 1
        name = f"{self._names:020d}"
        self._store.write(KIND, name, {"offset": self._names}, arrays)
        return name

    def write_whole(self, _: object) -> str:
        """All cards."""
        return self.write(self._cards.everything())

    def restore(self, name: str) -> None:
        """Read a checkpoint and lay it into an empty state."""
        CardState(DEFAULT).restore([self._store.read(KIND, name).arrays])

    def dump(self, cards: dict[int, list[tuple[Any, ...]]]) -> None:
        """The baseline's write."""
        with self._file.open("wb") as file:
            pickle.dump(cards, file)

    def load(self, _: object) -> None:
        """The baseline's restore."""
        with self._file.open("rb") as file:
            pickle.load(file)

    def _advance(self, columns: TransactionColumns) -> None:
        out = np.empty((len(columns), len(DEFAULT)), np.float32)
        self._cards.advance(columns, out, np.zeros(len(columns), np.uint8))


def _plain(arrays: CardArrays) -> dict[int, list[tuple[Any, ...]]]:
    entries: Any = arrays["entries"]
    lengths: Any = arrays["lengths"]
    ends = np.cumsum(lengths)
    starts = ends - lengths
    cards = arrays["cards"].tolist()
    return {card: entries[start:end].tolist() for card, start, end in zip(cards, starts, ends, strict=True)}


def measure(rounds: int) -> Iterator[HotPath]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), rounds)
        whole, every = [[None]] * rounds, [[bench.plain]] * rounds

        def cards(batch: Any) -> int:
            return len(batch["cards"]) if isinstance(batch, dict) and "cards" in batch else bench.cards

        yield in_turn(
            "checkpoint, whole", bench.write_whole, whole, "pickle", bench.dump, every, events=cards, event="card"
        )
        changes = [[bench.increment()] for _ in range(rounds)]
        yield in_turn(
            "checkpoint, increment",
            bench.write,
            changes,
            "pickle of all cards",
            bench.dump,
            every,
            events=lambda _: 1,
            event="increment",
        )
        written = [[bench.write_whole(None)] for _ in range(rounds)]
        yield in_turn("restore", bench.restore, written, "pickle", bench.load, whole, events=cards, event="card")


if __name__ == "__main__":
    run(__doc__, measure)
