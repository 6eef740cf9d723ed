"""The past transactions of a file, encoded and ready to be sent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.schema.decoding import decode_transactions
from models.schema.field_types import EARLIEST_MS, LATEST_MS
from models.schema.transaction import Transaction
from models.schema.wire import encode
from producers.column_mapping import ColumnMapping
from producers.column_reader import Chunk, ColumnReader, HistoryFileError

DAY_MS: Final = 24 * 3600 * 1000

_REQUIRED: Final = ("transaction_id", "event_time", "card_id", "terminal_id", "amount", "currency")
_OPTIONAL: Final = tuple(
    field for field in Transaction.__struct_fields__ if field not in {*_REQUIRED, "amount_minor", "schema_version"}
)


@dataclass(frozen=True, slots=True)
class HistoryBatch:
    """Consecutive transactions, ready to be sent.

    Attributes
    ----------
    event_time: int64, ms.
    keys: card ids as bytes, the keys of the records.
    values: the encoded transactions.
    frauds: those of these rows that are fraud, and the ones before the range that was asked for.
    """

    event_time: npt.NDArray[np.int64]
    keys: list[bytes]
    values: list[bytes]
    frauds: list[Transaction]

    def __len__(self) -> int:
        return len(self.values)


class History:
    """Reads a file in its order, some ten thousand rows at a time.

    Parameters
    ----------
    path: a Parquet or CSV file.
    mapping: which column is which field.
    from_day, to_day: the range, in days since the midnight (UTC) before the first row; to_day is not part of it.
    in_order: whether the rows are sorted by event time first, which takes the whole file into memory.
    skips_invalid: whether rows that are no valid transaction are left out, instead of ending the run.

    Raises
    ------
    MappingError: when the mapping lacks a field.
    HistoryFileError: when the file cannot be read or a row is not a valid transaction.
    """

    def __init__(
        self,
        path: Path,
        mapping: ColumnMapping,
        *,
        from_day: int = 0,
        to_day: int | None = None,
        in_order: bool = False,
        skips_invalid: bool = False,
    ) -> None:
        mapping.require_transactions()
        if to_day is not None and to_day <= from_day:
            raise HistoryFileError(f"nothing lies between --from-day {from_day} and --to-day {to_day}")
        self._mapping = mapping
        self._reader = ColumnReader(path, mapping, tuple(mapping.columns))
        self._in_order = in_order
        self._skips_invalid = skips_invalid
        first_midnight_ms = self._first_midnight_ms()
        self.start_ms: Final = first_midnight_ms + from_day * DAY_MS
        """Event time at which the range starts."""
        self.end_ms: Final = None if to_day is None else first_midnight_ms + to_day * DAY_MS
        """Event time at which the range ends; None when it is open."""
        self.skipped = 0

    @property
    def rows(self) -> int | None:
        """Number of rows in the file, where it says it."""
        return self._reader.rows

    def __iter__(self) -> Iterator[HistoryBatch]:
        """Yield the transactions of the range."""
        batches = (self._batch(chunk) for chunk in self._reader.chunks() if len(chunk))
        if self._in_order:
            whole = list(batches)
            yield from [_in_order(whole)] if whole else []
        else:
            yield from batches

    def _first_midnight_ms(self) -> int:
        for chunk in self._reader.chunks():
            if len(chunk):
                times = chunk.event_times()
                self._check_times(chunk, times)
                return int(times[0]) // DAY_MS * DAY_MS
        raise HistoryFileError(f"{self._reader.path} has no rows")

    def _batch(self, chunk: Chunk) -> HistoryBatch:
        times = chunk.event_times()
        self._check_times(chunk, times)
        wanted = times >= self.start_ms
        if self.end_ms is not None:
            wanted &= times < self.end_ms
        rows = np.flatnonzero(wanted)
        transactions = self._transactions(chunk, times, rows)
        values = list(map(encode, transactions))
        bad = self._refuse(chunk, rows, values)
        frauds = self._frauds(chunk, times, times < self.start_ms, wanted) if self._mapping.has("is_fraud") else []
        good = [at for at in range(len(values)) if at not in bad] if bad else None
        if good is not None:
            rows, transactions = rows[good], [transactions[at] for at in good]
            values = [values[at] for at in good]
        return HistoryBatch(times[rows], [one.card_id.encode() for one in transactions], values, frauds)

    def _transactions(
        self, chunk: Chunk, times: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
    ) -> list[Transaction]:
        currencies = self._required(chunk, "currency", rows)
        columns: list[Iterable[Any]] = [
            self._required(chunk, "transaction_id", rows),
            times[rows].tolist(),
            self._required(chunk, "card_id", rows),
            self._required(chunk, "terminal_id", rows),
            chunk.amounts_minor(currencies, rows).tolist(),
            currencies,
        ]
        if any(self._mapping.has(field) for field in _OPTIONAL):
            columns += [repeat(1), *(self._optional(chunk, field, rows) for field in _OPTIONAL)]
        return list(map(Transaction, *columns))

    def _required(self, chunk: Chunk, field: str, rows: npt.NDArray[np.int64]) -> list[str]:
        constant = self._mapping.constants.get(field)
        return chunk.texts(field, rows) if constant is None else [constant] * len(rows)

    def _optional(self, chunk: Chunk, field: str, rows: npt.NDArray[np.int64]) -> Iterable[str | None]:
        if self._mapping.column(field) is not None:
            return chunk.optional_texts(field, rows)
        return repeat(self._mapping.constants.get(field))

    def _frauds(
        self,
        chunk: Chunk,
        times: npt.NDArray[np.int64],
        before: npt.NDArray[np.bool_],
        wanted: npt.NDArray[np.bool_],
    ) -> list[Transaction]:
        return self._transactions(chunk, times, np.flatnonzero(chunk.flags("is_fraud") & (before | wanted)))

    def _refuse(self, chunk: Chunk, rows: npt.NDArray[np.int64], values: list[bytes]) -> set[int]:
        """Return the positions of the values that are no valid transaction, or end at the first."""
        rejections = decode_transactions(values)[2]
        if rejections and not self._skips_invalid:
            first = rejections[0]
            raise HistoryFileError(
                f"{chunk.place(int(rows[first.index]))}: {first.reason} (--skip-invalid leaves such rows out)"
            )
        self.skipped += len(rejections)
        return {rejection.index for rejection in rejections}

    def _check_times(self, chunk: Chunk, times: npt.NDArray[np.int64]) -> None:
        wrong = (times < EARLIEST_MS) | (times >= LATEST_MS)
        if wrong.any():
            row = int(wrong.argmax())
            raise HistoryFileError(
                f"{chunk.place(row)}: event_time {times[row]} ms is not in 2000 to 2099; "
                "does the mapping's time_unit (s, ms, us) fit?"
            )


def _in_order(batches: list[HistoryBatch]) -> HistoryBatch:
    times = np.concatenate([batch.event_time for batch in batches])
    order = np.argsort(times, kind="stable")
    keys = [key for batch in batches for key in batch.keys]
    values = [value for batch in batches for value in batch.values]
    return HistoryBatch(
        times[order],
        [keys[at] for at in order],
        [values[at] for at in order],
        [fraud for batch in batches for fraud in batch.frauds],
    )
