"""One simulated day: columns, records, and beside them what was fraud."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat

import msgspec
import numpy as np

from models.schema.columns import CHANNEL_NUMBERS, ENTRY_MODE_NUMBERS, TransactionColumns
from models.schema.hashing import hash64_column
from models.schema.iso_codes import COUNTRY_NUMBERS
from models.schema.money import ReportingCurrency
from models.schema.transaction import Transaction
from producers.simulator.categories import CATEGORIES
from producers.simulator.countries import COUNTRIES
from producers.simulator.identifiers import opaque_ids
from producers.simulator.payments import NO_DEVICE, Payments
from producers.simulator.population import Population
from producers.simulator.random_streams import mix64, stream_key

_MCCS = np.array([f"{row.mcc:04d}" for row in CATEGORIES], dtype=object)
_CURRENCIES = np.array([row.currency for row in COUNTRIES], dtype=object)
_COUNTRY_CODES = np.array([row.code for row in COUNTRIES], dtype=object)
_CHANNEL_NAMES = np.array([None, *(name for name in CHANNEL_NUMBERS if name)], dtype=object)
_ENTRY_MODE_NAMES = np.array([None, *(name for name in ENTRY_MODE_NUMBERS if name)], dtype=object)
_MCC_NUMBERS = np.array([row.mcc for row in CATEGORIES], np.uint16)
_COUNTRY_NUMBERS = np.array([COUNTRY_NUMBERS[row.code] for row in COUNTRIES], np.uint16)
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True)
class SimulatedDay:
    """The payments of a day in order of event time; the ground truth stays beside them, never on a transaction.

    `tactic_code` is 0 for genuine payments, else the place of the fraud's tactic in `tactic_names`.
    """

    day: int
    population: Population
    payments: Payments
    numbers: np.ndarray
    tactic_code: np.ndarray
    tactic_names: tuple[str | None, ...]

    def __len__(self) -> int:
        """Return how many transactions the day has."""
        return len(self.numbers)

    @property
    def event_time(self) -> np.ndarray:
        """Event times in ms, ascending, as int64."""
        return self.payments.event_time

    @cached_property
    def is_fraud(self) -> np.ndarray:
        """Whether each transaction is fraud, as bool."""
        fraud: np.ndarray = self.tactic_code > 0
        return fraud

    @cached_property
    def tactic(self) -> list[str | None]:
        """The tactic behind each transaction, None where it is genuine."""
        return self._names(self.tactic_names, self.tactic_code)

    @cached_property
    def transaction_ids(self) -> list[str]:
        """The transactions' ids."""
        return [text.decode("ascii") for text in opaque_ids(self.numbers, b"x", 13).tolist()]

    @cached_property
    def card_ids(self) -> list[str]:
        """The card of each transaction."""
        ids: list[str] = self.population.card_ids[self.payments.card].tolist()
        return ids

    @cached_property
    def terminal_ids(self) -> list[str]:
        """The terminal of each transaction."""
        ids: list[str] = self.population.terminal_ids[self.payments.terminal].tolist()
        return ids

    @cached_property
    def device_ids(self) -> list[str | None]:
        """The device of each transaction, None where none was seen."""
        key = stream_key(self.population.seed, "device ids")
        ids = opaque_ids(mix64(self.payments.device, key), b"d", 9).astype("U10").astype(object)
        ids[self.payments.device == NO_DEVICE] = None
        devices: list[str | None] = ids.tolist()
        return devices

    @cached_property
    def currencies(self) -> list[str]:
        """The currency of each amount."""
        terminals = self.population.terminals
        codes: list[str] = _CURRENCIES[terminals.country[self.payments.terminal]].tolist()
        return codes

    def part(self, start: int, stop: int) -> "SimulatedDay":
        """Return the transactions from one position up to another."""
        return replace(
            self,
            payments=self.payments.take(slice(start, stop)),
            numbers=self.numbers[start:stop],
            tactic_code=self.tactic_code[start:stop],
        )

    def columns(self, rates: ReportingCurrency) -> TransactionColumns:
        """Return what the feature kernels read of the day; equal to the columns of its records, but faster."""
        population, payments = self.population, self.payments
        terminals, terminal = population.terminals, payments.terminal
        return TransactionColumns(
            event_time=payments.event_time,
            amount=self._reporting_amounts(rates),
            card=population.card_hashes[payments.card],
            transaction=hash64_column(self.transaction_ids),
            terminal=population.terminal_hashes[terminal],
            country=_COUNTRY_NUMBERS[terminals.country[terminal]],
            channel=terminals.channel[terminal],
            entry_mode=payments.entry_mode,
            mcc=_MCC_NUMBERS[terminals.category[terminal]],
        )

    def _reporting_amounts(self, rates: ReportingCurrency) -> np.ndarray:
        amounts = self.payments.amount_minor.copy()
        currencies = _CURRENCIES[self.population.terminals.country[self.payments.terminal]]
        foreign = np.flatnonzero(currencies != rates.currency)
        amounts[foreign] = list(map(rates.to_reporting, amounts[foreign].tolist(), currencies[foreign].tolist()))
        return amounts

    def transactions(self) -> list[Transaction]:
        """Return the records of the day."""
        population, payments = self.population, self.payments
        terminals, terminal = population.terminals, payments.terminal
        customer = population.customers.card_customer[payments.card]
        return list(
            map(
                Transaction,
                self.transaction_ids,
                payments.event_time.tolist(),
                self.card_ids,
                self.terminal_ids,
                payments.amount_minor.tolist(),
                self.currencies,
                repeat(1),
                population.customer_ids[customer].tolist(),
                population.account_ids[customer].tolist(),
                population.merchant_ids[terminals.merchant[terminal]].tolist(),
                _MCCS[terminals.category[terminal]].tolist(),
                _COUNTRY_CODES[terminals.country[terminal]].tolist(),
                _CHANNEL_NAMES[terminals.channel[terminal]].tolist(),
                _ENTRY_MODE_NAMES[payments.entry_mode].tolist(),
                self.device_ids,
            )
        )

    def encoded(self) -> list[tuple[bytes, bytes]]:
        """Return key and value of each record, as they go to the topic `transactions`."""
        keys = [card_id.encode("ascii") for card_id in self.card_ids]
        return list(zip(keys, map(_ENCODER.encode, self.transactions()), strict=True))

    @staticmethod
    def _names(names: tuple[str | None, ...], codes: np.ndarray) -> list[str | None]:
        chosen: list[str | None] = np.array(names, dtype=object)[codes].tolist()
        return chosen
