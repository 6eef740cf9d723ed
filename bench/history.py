"""Throughput with a past behind every card, for those whose state outlives their process.

Transactions of other cards come first, so that the JVM has compiled what it runs before a card has a past; then the
cards' own, and then those that count. Nothing of the first two does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from bench.workload import CUSTOMERS, Workload

TRANSACTIONS_PER_CARD: Final = 30.0
OTHERS: Final = 700_000
"""The JVM's compilers take a fifth of its CPU seconds after 600,000 transactions in all, little after a million."""
EVENTS: Final = 400_000
LONGEST: Final = int(2 * TRANSACTIONS_PER_CARD * CUSTOMERS)
"""No history takes more events: a customer has one card and a half."""

Messages = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class PastCards:
    """What a round is given.

    Attributes
    ----------
    messages: key and value of each.
    warm_up: how many of them come before those that count.
    """

    messages: list[tuple[bytes, bytes]]
    warm_up: int

    @classmethod
    def of(cls, workload: Workload, events: int) -> Self:
        """From at least `OTHERS` and `LONGEST + events` transactions, of which `events` count."""
        history = history_length(workload.messages, TRANSACTIONS_PER_CARD)
        own = workload.messages[: history + events]
        assert len(own) == history + events, f"{len(workload.messages)} transactions are too few"
        return cls([*workload.of_others(OTHERS), *own], OTHERS + history)


def history_length(messages: Messages, of_each_card: float) -> int:
    """Return how many of the first messages are so many for each card that is among them, on average.

    Examples
    --------
    >>> history_length([(card, b"") for card in (b"a", b"b", b"a", b"b", b"c")], 2.0)
    4
    """
    cards: set[bytes] = set()
    for count, (card, _) in enumerate(messages, 1):
        cards.add(card)
        if count >= of_each_card * len(cards):
            return count
    raise ValueError(f"{len(messages)} transactions are less than {of_each_card:g} for each of {len(cards)} cards")
