"""A bank's world: its customers with their cards, and all terminals they can pay at."""

import numpy as np

from models.schema.hashing import hash64_column
from producers.simulator.customers import Customers, build_customers
from producers.simulator.settings import PopulationSettings
from producers.simulator.terminals import CATEGORY_INDEX, Terminals, build_terminals


class Population:
    """Customers, cards and terminals, drawn once from a seed and never changed.

    Examples
    --------
    >>> population = Population(PopulationSettings(customers=50, terminals=200, transactions_per_day=100), seed=7)
    >>> population.customer_ids[3], population.card_ids[0], population.terminal_ids[42]
    ('c000003', 'k0000000', 't00042')
    """

    def __init__(self, settings: PopulationSettings, seed: int) -> None:
        self.settings = settings
        self.seed = seed
        self.terminals: Terminals = build_terminals(settings, seed)
        self.customers: Customers = build_customers(settings, self.terminals, seed)
        self._terminals_of: dict[tuple[tuple[int, ...], tuple[int, ...]], np.ndarray] = {}
        self.customer_ids = _names("c%06d", np.arange(settings.customers))
        self.account_ids = _names("a%06d", np.arange(settings.customers))
        self.card_ids = _names("k%07d", self.customers.card_number)
        self.terminal_ids = _names("t%05d", np.arange(settings.terminals))
        self.card_hashes = hash64_column(self.card_ids.tolist())
        self.terminal_hashes = hash64_column(self.terminal_ids.tolist())
        self.merchant_ids = _names("m%05d", np.arange(int(self.terminals.merchant.max()) + 1))

    def terminals_of(self, codes: tuple[int, ...], channels: tuple[int, ...]) -> np.ndarray:
        """Return the terminals of some categories (codes) and channels; in a world without, of the channels alone."""
        found = self._terminals_of.get((codes, channels))
        if found is None:
            by_category = np.isin(self.terminals.category, [CATEGORY_INDEX[code] for code in codes])
            by_channel = np.isin(self.terminals.channel, channels)
            both = by_category & by_channel
            found = np.flatnonzero(both if both.any() else by_channel).astype(np.int32)
            self._terminals_of[codes, channels] = found
        return found

    @property
    def cards(self) -> int:
        """How many cards there are."""
        return len(self.customers.card_customer)


def _names(pattern: str, numbers: np.ndarray) -> np.ndarray:
    """Return ids as an object array of str, to be indexed by whole columns."""
    return np.array([pattern % number for number in numbers.tolist()], dtype=object)
