"""The exact 30-day windows of one partition's cards, in arrays that grow."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.features.card_blocks import CardBlocks
from models.features.card_entry import CHANGE, ENTRY
from models.features.card_measures import COLUMNS, WINDOW_MS_OF
from models.features.card_windows import advance_cards
from models.features.feature_set import FeatureSet
from models.features.hash_index import HashIndex
from models.features.stored_changes import Changes, StoredChanges
from models.schema.columns import TransactionColumns

CardArrays = dict[str, npt.NDArray[np.generic]]
"""A part of a state: `changes` CHANGE[m], stored one after the other since the part before; and the complete state of
some cards behind them, `cards` uint64[k], `lengths` int32[k], `entries` ENTRY[sum of them], card by card."""

_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "cards": np.dtype(np.uint64),
    "lengths": np.dtype(np.int32),
    "entries": ENTRY,
    "changes": CHANGE,
}


class CardArraysError(FraudstreamError):
    """Raised when stored card arrays do not fit together."""


class CardState:
    """Keeps what each card did in the last 31 days and computes features from it.

    Why: a window held as its transactions is exact for any order of arrival, has no rounding to drift, and can be
    rebuilt by a replay.

    A stored transaction takes 24 bytes. The block of a card has a few too many, and the pool that holds the blocks at
    most an eighth; beside it a card takes 21 bytes, twice that right after these arrays grew, and 24 to 48 bytes of
    hash table. At 30 transactions in 30 days: less than 1 kB a card (bench/bench_state.py).

    Parameters
    ----------
    feature_set: the columns to fill.
    """

    def __init__(self, feature_set: FeatureSet) -> None:
        self.feature_set = feature_set
        self._clear()

    def _clear(self) -> None:
        self._index = HashIndex()
        self._blocks = CardBlocks()
        self._counts = np.zeros(len(WINDOW_MS_OF), np.int64)
        self._changes: StoredChanges | None = None

    @property
    def cards(self) -> int:
        """Distinct cards held."""
        return self._index.count

    @property
    def transactions(self) -> int:
        """Transactions held, those just out of the window included."""
        return int(self._blocks.lengths[: self.cards].sum())

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, room to grow included."""
        return self._blocks.nbytes + self._index.nbytes

    def advance(
        self, columns: TransactionColumns, out: npt.NDArray[np.float32] | None, status: npt.NDArray[np.uint8]
    ) -> None:
        """Take transactions in order: compute the own and card columns of each from those before it, then store it.

        Parameters
        ----------
        columns: [n] transactions.
        out: [n, F] feature rows, of which own and card columns are filled; None keeps the state only.
        status: [n] gets the bits DUPLICATE (already in its card's window: not counted), TOO_LATE (over 24 hours older
            than the card's newest: not counted) and LATE (older than the card's newest: inserted in order).
        """
        rows = self._rows_of(columns.card)
        target = np.zeros((0, COLUMNS), np.float32) if out is None else out
        blocks, done = self._blocks, 0
        while True:
            done = advance_cards(
                done, columns.event_time, columns.amount, columns.transaction, columns.terminal, columns.country,
                columns.channel, columns.entry_mode, columns.mcc, rows,
                blocks.firsts, blocks.lengths, blocks.size_classes, blocks.entries, blocks.heads, blocks.live,
                blocks.free, blocks.scratch, blocks.seen, self._counts, out is not None, target, status,
            )  # fmt: skip
            if done == len(rows):
                break
            blocks.make_room(self.cards, int(blocks.lengths[rows[done]]))
        if self._changes is not None:
            self._changes.add(columns, status)

    def _rows_of(self, cards: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        known = self.cards
        rows = self._index.add(cards)
        if self.cards > known:
            self._blocks.know(rows, cards, self.cards)
        return rows

    def taken(self) -> list[Changes]:
        """Return what was stored since the last call, to be `packed`; the first call returns nothing.

        From the first call on it is kept.
        """
        if self._changes is None:
            self._changes = StoredChanges()
        return self._changes.take()

    def take_changes(self) -> CardArrays:
        """Return what was stored since the last call of this or `taken`."""
        return packed(self.taken())

    def everything(self) -> CardArrays:
        """Return the complete state of all cards; what `take_changes` returns next stays as it is."""
        return {**_NOTHING, **self._blocks.gathered(0, self.cards)}

    def parts(self, cards: int) -> Iterator[CardArrays]:
        """Return the complete state of the cards held now, one part at least, each of so many cards.

        The state may be advanced between two parts: each holds its cards as they are when it is asked for, and what was
        stored since the part before, so that, restored in order, they give the state at the last one. What was stored
        before the first is in none of their changes.
        """
        self.taken()
        held = self.cards
        for start in range(0, max(held, 1), cards):
            yield {**self.take_changes(), **self._blocks.gathered(start, min(start + cards, held))}

    def load_kernels(self) -> None:
        """Load what is needed only once there is much, so that it delays no batch then."""
        self._blocks.load_kernels()

    def restore(self, parts: Iterable[Mapping[str, npt.NDArray[np.generic]]]) -> None:
        """Replace the state by a base and its increments, in order.

        The changes of a part are applied to what the parts before left, then its complete cards replace their like.

        Raises
        ------
        CardArraysError: a part is not what `everything`, `parts` and `take_changes` give.
        """
        self._clear()
        for part in parts:
            check_card_arrays(part)
            given = {name: np.ascontiguousarray(part[name], dtype) for name, dtype in _DTYPES.items()}
            if len(given["changes"]):
                columns = _columns(given["changes"])
                self.advance(columns, None, np.zeros(len(columns), np.uint8))
            if len(given["cards"]):
                rows = self._rows_of(given["cards"])
                self._blocks.put(self.cards, rows, given["lengths"], given["entries"])


_NOTHING: CardArrays = {name: np.zeros(0, dtype) for name, dtype in _DTYPES.items()}


def packed(taken: list[Changes]) -> CardArrays:
    """Return what `taken` gave, as a part of a state."""
    return {**_NOTHING, "changes": np.concatenate([_NOTHING["changes"], *taken])}


def _columns(changes: npt.NDArray[np.void]) -> TransactionColumns:
    fields = {name: np.ascontiguousarray(changes[name]) for name in CHANGE.names or ()}
    fields["amount"] = fields["amount"].astype(np.int64)
    return TransactionColumns(**fields, mcc=np.zeros(len(changes), np.uint16))


def check_card_arrays(part: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Raise CardArraysError unless a part is one of card arrays that fit together."""
    for name, dtype in _DTYPES.items():
        array = part.get(name)
        if array is None or array.ndim != 1 or array.dtype != dtype:
            found = "nothing" if array is None else f"{array.dtype} {array.shape}"
            raise CardArraysError(f"card arrays have {found} as {name}: restore from an older checkpoint")
    cards, lengths, entries = part["cards"], np.asarray(part["lengths"], np.int64), part["entries"]
    if len(cards) != len(lengths) or int(lengths.sum()) != len(entries) or int(lengths.min(initial=0)) < 0:
        raise CardArraysError(
            f"card arrays hold {len(entries)} transactions where their lengths say {int(lengths.sum())}: "
            "restore from an older checkpoint"
        )
