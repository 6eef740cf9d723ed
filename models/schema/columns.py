"""Transactions as columns: what the feature kernels read, one row per transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.schema.field_types import Channel, EntryMode
from models.schema.hashing import hash64_column
from models.schema.iso_codes import COUNTRY_NUMBERS
from models.schema.money import ReportingCurrency
from models.schema.transaction import Transaction
from models.schema.transaction_fields import TransactionFields

CHANNEL_NUMBERS: Final[dict[str, int]] = {name: at for at, name in enumerate(get_args(Channel), 1)}
ENTRY_MODE_NUMBERS: Final[dict[str, int]] = {name: at for at, name in enumerate(get_args(EntryMode), 1)}

_Numbers = Mapping[str | None, int]


def _with_unknown(numbers: Mapping[str, int]) -> _Numbers:
    known: dict[str | None, int] = {None: 0}
    known.update(numbers)
    return known


_COUNTRIES: Final = _with_unknown(COUNTRY_NUMBERS)
_CHANNELS: Final = _with_unknown(CHANNEL_NUMBERS)
_ENTRY_MODES: Final = _with_unknown(ENTRY_MODE_NUMBERS)
_MERCHANT_CATEGORIES: Final = _with_unknown({f"{code:04d}": code for code in range(10_000)})

_Number = TypeVar("_Number", np.uint8, np.uint16)

_DTYPES: Final = {
    "event_time": np.dtype(np.int64),
    "amount": np.dtype(np.int64),
    "card": np.dtype(np.uint64),
    "transaction": np.dtype(np.uint64),
    "terminal": np.dtype(np.uint64),
    "country": np.dtype(np.uint16),
    "channel": np.dtype(np.uint8),
    "entry_mode": np.dtype(np.uint8),
    "mcc": np.dtype(np.uint16),
}

_ALL: Final = attrgetter(*_DTYPES)
_TYPES: Final = list(_DTYPES.values())

Ids = Sequence[str] | npt.NDArray[np.uint64]
"""Ids as text, or their hashes already."""
Codes = Sequence[str | None] | None
"""Codes as text, None where unknown; None for a history that has none."""


class ColumnsError(FraudstreamError):
    """Raised when columns do not fit together."""


@dataclass(frozen=True, slots=True)
class TransactionColumns:
    """One row per transaction; all arrays have the same length.

    Attributes
    ----------
    event_time: int64, ms.
    amount: int64, minor units of the reporting currency.
    card, transaction, terminal: uint64, `hash64` of the id.
    country: uint16, ISO 3166 numeric; 0 unknown.
    channel, entry_mode: uint8, position in their Literal from 1 on; 0 unknown.
    mcc: uint16; 0 unknown.
    """

    event_time: npt.NDArray[np.int64]
    amount: npt.NDArray[np.int64]
    card: npt.NDArray[np.uint64]
    transaction: npt.NDArray[np.uint64]
    terminal: npt.NDArray[np.uint64]
    country: npt.NDArray[np.uint16]
    channel: npt.NDArray[np.uint8]
    entry_mode: npt.NDArray[np.uint8]
    mcc: npt.NDArray[np.uint16]

    def __post_init__(self) -> None:
        """Refuse columns of unequal lengths or of another type."""
        rows, columns = len(self.event_time), _ALL(self)
        if [column.dtype for column in columns] == _TYPES and {*map(len, columns)} == {rows}:
            return
        for (name, dtype), column in zip(_DTYPES.items(), columns, strict=True):
            if len(column) != rows or column.dtype != dtype:
                raise ColumnsError(f"column {name} is {len(column)} x {column.dtype}, it must be {rows} x {dtype}")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.event_time)

    @classmethod
    def from_transactions(cls, transactions: Sequence[Transaction], rates: ReportingCurrency) -> "TransactionColumns":
        """Return the columns of decoded transactions.

        Raises
        ------
        RatesError: when a currency has no rate (`decode_transactions` with the same rates refuses such a message).
        """
        return cls.from_fields(TransactionFields.of(transactions), rates)

    @classmethod
    def from_fields(cls, taken: TransactionFields, rates: ReportingCurrency) -> "TransactionColumns":
        """Return the columns of decoded transactions whose fields have been taken already; raises as above."""
        if not len(taken):
            return cls.empty()
        return cls(
            event_time=np.array(taken.event_time, np.int64),
            amount=np.array(rates.column(taken.amount_minor, taken.currency), np.int64),
            card=hash64_column(taken.card_id),
            transaction=hash64_column(taken.transaction_id),
            terminal=hash64_column(taken.terminal_id),
            country=_numbers(taken.merchant_country, _COUNTRIES, np.uint16),
            channel=_numbers(taken.channel, _CHANNELS, np.uint8),
            entry_mode=_numbers(taken.entry_mode, _ENTRY_MODES, np.uint8),
            mcc=_numbers(taken.mcc, _MERCHANT_CATEGORIES, np.uint16),
        )

    @classmethod
    def from_arrays(
        cls,
        event_time: npt.ArrayLike,
        amount: npt.ArrayLike,
        card_ids: Ids,
        transaction_ids: Ids,
        terminal_ids: Ids,
        country: Codes = None,
        channel: Codes = None,
        entry_mode: Codes = None,
        mcc: Codes = None,
    ) -> "TransactionColumns":
        """Return the columns of a history that is held in arrays.

        Parameters
        ----------
        event_time: ms.
        amount: minor units of the reporting currency.
        card_ids, transaction_ids, terminal_ids: the ids, or their hashes as uint64.
        country, channel, entry_mode, mcc: the codes of a Transaction, or None for a history without.
        """
        times = np.asarray(event_time, np.int64)
        return cls(
            event_time=times,
            amount=np.asarray(amount, np.int64),
            card=_hashes(card_ids),
            transaction=_hashes(transaction_ids),
            terminal=_hashes(terminal_ids),
            country=_codes(country, _COUNTRIES, np.uint16, len(times)),
            channel=_codes(channel, _CHANNELS, np.uint8, len(times)),
            entry_mode=_codes(entry_mode, _ENTRY_MODES, np.uint8, len(times)),
            mcc=_codes(mcc, _MERCHANT_CATEGORIES, np.uint16, len(times)),
        )

    @classmethod
    def empty(cls) -> "TransactionColumns":
        """Return columns without rows."""
        return cls(**{name: np.empty(0, dtype) for name, dtype in _DTYPES.items()})

    @classmethod
    def concat(cls, parts: Sequence["TransactionColumns"]) -> "TransactionColumns":
        """Return the rows of all parts, one after the other."""
        if not parts:
            return cls.empty()
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _DTYPES})

    def slice(self, start: int, stop: int) -> "TransactionColumns":
        """Return the rows from start up to stop, without a copy."""
        return TransactionColumns(*[column[start:stop] for column in _ALL(self)])

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "TransactionColumns":
        """Return the rows that an array of positions or a mask picks, copied."""
        return TransactionColumns(*[column[rows] for column in _ALL(self)])


def _numbers(codes: Sequence[str | None], numbers: _Numbers, dtype: type[_Number]) -> npt.NDArray[_Number]:
    return np.fromiter(map(numbers.__getitem__, codes), dtype, count=len(codes))


def _codes(codes: Codes, numbers: _Numbers, dtype: type[_Number], rows: int) -> npt.NDArray[_Number]:
    if codes is None:
        return np.zeros(rows, dtype)
    return _numbers(codes if isinstance(codes, list | tuple) else list(codes), numbers, dtype)


def _hashes(ids: Ids) -> npt.NDArray[np.uint64]:
    if isinstance(ids, np.ndarray):
        return ids if ids.dtype == np.uint64 else hash64_column(ids.tolist())
    return hash64_column(ids)
