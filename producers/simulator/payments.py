"""What a payment looks like: a price in the merchant's currency, how the card was read, on which device."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from models.schema.columns import ENTRY_MODE_NUMBERS
from models.schema.iso_codes import CURRENCY_EXPONENTS
from producers.simulator.categories import ATM_MCC, CATEGORIES
from producers.simulator.countries import COUNTRIES
from producers.simulator.population import Population
from producers.simulator.terminals import ATM, CATEGORY_INDEX, ECOMMERCE, MOTO, Terminals

CHIP, CONTACTLESS, MAGSTRIPE, MANUAL, STORED, ONLINE = (
    ENTRY_MODE_NUMBERS[name] for name in ("chip", "contactless", "magstripe", "manual", "stored", "online")
)
NO_DEVICE = -1
CONTACTLESS_LIMIT_EUR = 50.0
CENTS = 100
UNPRICED_SHARE = 0.7
"""How many prices end in anything, such as a basket of groceries; the others end in 99, 95, 90 or 50."""
WALLET_PERCENT = 35
WALLET_USE_SHARE = 0.6
STORED_SHARE = 0.30
TYPED_SHARE = 0.015
DEVICE_SEEN_SHARE = 0.97
SECOND_DEVICE_SHARE = 0.22

_WHOLE_SHARE = np.array([row.whole_share for row in CATEGORIES])
_UNITS_PER_EUR = np.array([row.units_per_eur for row in COUNTRIES])
_MINOR_PER_UNIT = np.array([10 ** CURRENCY_EXPONENTS[row.currency] for row in COUNTRIES], np.int64)
_MAGSTRIPE_SHARE = np.array([row.magstripe_share for row in COUNTRIES])
_CASH_STEP = np.array([max(1, round(10 * row.units_per_eur)) for row in COUNTRIES], np.float64)


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments as columns; cards and terminals are indices into the population, `device` is a number or NO_DEVICE."""

    event_time: np.ndarray
    card: np.ndarray
    terminal: np.ndarray
    amount_minor: np.ndarray
    entry_mode: np.ndarray
    device: np.ndarray

    def __len__(self) -> int:
        """Return how many payments there are."""
        return len(self.event_time)

    @classmethod
    def none(cls) -> Self:
        """Return columns without rows."""
        return cls(*(np.empty(0, kind) for kind in (np.int64, np.int32, np.int32, np.int64, np.uint8, np.int64)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all parts, one after the other."""
        return cls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))

    def take(self, rows: np.ndarray | slice) -> Self:
        """Return the rows at some positions, in that order."""
        return type(self)(*(getattr(self, column.name)[rows] for column in fields(self)))


def price_minor(eur: np.ndarray, terminal: np.ndarray, terminals: Terminals, rng: np.random.Generator) -> np.ndarray:
    """Turn wished amounts in euro into prices: minor units of the merchant's currency, at least one.

    Some prices are whole units, some end in 99, 95, 90 or 50, cash comes in notes.
    """
    country = terminals.country[terminal]
    category = terminals.category[terminal]
    units = eur * _UNITS_PER_EUR[country]
    minor = np.rint(units * _MINOR_PER_UNIT[country]).astype(np.int64)
    u = rng.random(len(eur))
    whole = u < _WHOLE_SHARE[category]
    ending = np.array([99, 99, 99, 95, 90, 50])[rng.integers(0, 6, len(eur))]
    priced = ~whole & (u > UNPRICED_SHARE) & (_MINOR_PER_UNIT[country] == CENTS)
    minor = np.where(whole, np.rint(units).astype(np.int64) * _MINOR_PER_UNIT[country], minor)
    minor = np.where(priced, minor // 100 * 100 + ending, minor)
    step = _CASH_STEP[country]
    notes = np.maximum(1, np.rint(units / step)) * step
    cash = category == CATEGORY_INDEX[ATM_MCC]
    minor = np.where(cash, notes.astype(np.int64) * _MINOR_PER_UNIT[country], minor)
    least_one: np.ndarray = np.maximum(minor, 1)
    return least_one


def whole_price_minor(eur: np.ndarray, terminal: np.ndarray, terminals: Terminals) -> np.ndarray:
    """Turn amounts in euro into whole units of the merchant's currency."""
    country = terminals.country[terminal]
    units = np.maximum(1, np.rint(eur * _UNITS_PER_EUR[country])).astype(np.int64)
    minor: np.ndarray = units * _MINOR_PER_UNIT[country]
    return minor


def read_card(
    eur: np.ndarray, terminal: np.ndarray, card: np.ndarray, population: Population, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return how the holder's own card was read, and on which of the holder's devices if any."""
    terminals = population.terminals
    channel = terminals.channel[terminal]
    u = rng.random(len(terminal))
    customer = population.customers.card_customer[card].astype(np.int64)
    has_wallet = (customer * 2654435761 % 100) < WALLET_PERCENT
    wallet = has_wallet & (rng.random(len(terminal)) < WALLET_USE_SHARE)
    tap_share = np.where(channel == ATM, 0.15, np.where(eur <= CONTACTLESS_LIMIT_EUR, 0.85, 0.05))
    mode = np.where((u < tap_share) | (wallet & (channel != ATM)), CONTACTLESS, CHIP)
    swiped = rng.random(len(terminal)) < _MAGSTRIPE_SHARE[terminals.country[terminal]]
    mode = np.where(swiped, MAGSTRIPE, mode)
    mode = np.where(
        channel == ECOMMERCE, np.where(u < STORED_SHARE, STORED, np.where(u < 1 - TYPED_SHARE, ONLINE, MANUAL)), mode
    )
    mode = np.where(channel == MOTO, MANUAL, mode).astype(np.uint8)
    second = (rng.random(len(terminal)) < SECOND_DEVICE_SHARE).astype(np.int64)
    seen = ((channel == ECOMMERCE) & (u < DEVICE_SEEN_SHARE)) | (wallet & (mode == CONTACTLESS) & (channel != ATM))
    return mode, np.where(seen, customer * 3 + second * (1 + customer % 2), NO_DEVICE)


def opening_times(
    local_ms: np.ndarray, terminal: np.ndarray, terminals: Terminals, rng: np.random.Generator
) -> np.ndarray:
    """Return the local times, those outside the opening hours moved to a likely time within them."""
    day_ms = 86_400_000
    since_opening = (local_ms - terminals.opens_ms[terminal]) % day_ms
    opening = terminals.open_for_ms[terminal]
    likely = (opening * rng.beta(1.7, 1.5, len(terminal))).astype(np.int64)
    within = np.where(since_opening < opening, since_opening, likely)
    moved: np.ndarray = (terminals.opens_ms[terminal] + within) % day_ms
    return moved
