"""Any number of cards with a month behind them, and traffic of which few cards make much.

What is bought, where and for how much is taken from simulated transactions; whose it is, and when, is drawn.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.schema import wire
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.hashing import hash64_column
from models.schema.money import default_reporting_currency
from models.schema.murmur2 import murmur2_partitions
from models.schema.topics import DAY_MS

HISTORY_DAYS: Final = 30
START_MS: Final = 1_525_176_000_000
"""At noon: traffic of a million cards lasts minutes, and fraud is a matter of the hour too."""
NOW_MS: Final = START_MS + HISTORY_DAYS * DAY_MS
_SKEW: Final = 100
"""One in so many cards is hot: the first hundredth of the cards makes 15 % of the traffic, the first tenth half."""
_CHUNK: Final = 50_000


class CardPopulation:
    """Cards by number, with their partitions.

    Parameters
    ----------
    cards: how many.
    templates: values of simulated transactions.
    partitions: of the topic; a card lies where Kafka's clients put its key.
    """

    def __init__(self, cards: int, templates: Sequence[bytes], partitions: int = 4) -> None:
        currency = default_reporting_currency()
        self._templates = decode_transactions(templates, currency)[0]
        self._columns = TransactionColumns.from_transactions(self._templates, currency)
        self.cards = cards
        self.partitions = partitions
        keys = [b"card-%d" % number for number in range(cards)]
        self.partition_of = murmur2_partitions(keys, partitions)
        self.hashes = hash64_column([key.decode() for key in keys])

    def history(self, partition: int, *, skewed: bool = False, seed: int = 1) -> Iterator[TransactionColumns]:
        """The past of a partition's cards in order of event time: thirty days with one transaction of each.

        `skewed` draws each day's cards as `drawn` does: one a day on average.
        """
        rng = np.random.default_rng((seed, partition))
        cards = self.hashes[self.partition_of == partition]
        for day in range(HISTORY_DAYS):
            drawn = self.drawn(self.cards if skewed else 0, seed + day)
            order = self.hashes[drawn[self.partition_of[drawn] == partition]] if skewed else rng.permutation(cards)
            times = START_MS + day * DAY_MS + np.arange(len(order)) * DAY_MS // len(order)
            for start in range(0, len(order), _CHUNK):
                part = slice(start, start + _CHUNK)
                yield self._of(times[part], order[part], rng)

    def filled(self, partition: int, *, skewed: bool = False) -> CardState:
        """The state of a partition behind that past."""
        state = CardState(DEFAULT)
        for columns in self.history(partition, skewed=skewed):
            state.advance(columns, None, np.zeros(len(columns), np.uint8))
        return state

    def drawn(self, events: int, seed: int) -> npt.NDArray[np.int64]:
        """Whose the next transactions are: the card of rank r is drawn in proportion to 1 / (r + cards / _SKEW)."""
        rng = np.random.default_rng(seed)
        shift = self.cards / _SKEW
        ranks = shift * ((1 + _SKEW) ** rng.random(events)) - shift
        # Ranks are no neighbours in memory: which card is how busy has nothing to do with when it was first seen.
        return np.random.default_rng(0).permutation(self.cards)[ranks.astype(np.int64)]

    def upcoming(self, events: int, seed: int, first: int = 0) -> TransactionColumns:
        """The columns of `traffic`, but for transactions that it does not repeat."""
        cards = self.hashes[self.drawn(events, seed)]
        return self._of(self._times(events, first), cards, np.random.default_rng((seed, 1)))

    def traffic(self, events: int, seed: int, first: int = 0) -> Iterator[tuple[bytes, bytes]]:
        """Messages of these cards from now on: key and value of each.

        Parameters
        ----------
        events: how many.
        seed: whose they are; no two may share transactions.
        first: how many have come before: a card has one a day on average.
        """
        times = self._times(events, first).tolist()
        for row, (card, at) in enumerate(zip(self.drawn(events, seed).tolist(), times, strict=True)):
            one = msgspec.structs.replace(
                self._templates[row % len(self._templates)],
                card_id=f"card-{card}",
                transaction_id=f"{seed}-{row}",
                event_time=at,
            )
            yield one.card_id.encode(), wire.encode(one)

    def _times(self, events: int, first: int) -> npt.NDArray[np.int64]:
        return np.asarray(NOW_MS + np.arange(first, first + events) * DAY_MS // self.cards)

    def _of(
        self, times: npt.NDArray[np.int64], cards: npt.NDArray[np.uint64], rng: np.random.Generator
    ) -> TransactionColumns:
        rows = self._columns.take(rng.integers(0, len(self._columns), len(times)))
        return dataclasses.replace(
            rows, event_time=times, card=cards, transaction=rng.integers(1, 2**63, len(times)).astype(np.uint64)
        )
