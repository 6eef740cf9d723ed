"""What a labelled file says: the transactions in their order, and which of them were fraud."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.features.hash_index import HashIndex
from models.features.history import NO_LABEL, History
from models.schema.columns import TransactionColumns
from models.schema.hashing import hash64_column
from models.schema.money import default_reporting_currency
from models.schema.topics import DAY_MS
from producers.column_mapping import HANDBOOK
from producers.column_reader import ColumnReader

_COLUMNS = ("transaction_id", "event_time", "card_id", "terminal_id", "amount", "is_fraud")


class TruthError(FraudstreamError):
    """Raised when a file cannot serve as truth."""


def require_file(path: Path) -> None:
    """Raise HistoryFileError unless a file is there and has the handbook's columns."""
    ColumnReader(path, HANDBOOK, _COLUMNS)


@dataclass(frozen=True)
class Truth:
    """One row per transaction, in the file's order.

    Attributes
    ----------
    columns: the transactions.
    is_fraud: bool[n].
    start_ms: midnight before the first transaction; event days count from it.
    """

    columns: TransactionColumns
    is_fraud: npt.NDArray[np.bool_]
    start_ms: int
    _rows: HashIndex

    @classmethod
    def read(cls, path: Path, days: int) -> "Truth":
        """Read the first days of a file in the handbook's columns.

        Raises
        ------
        HistoryFileError: the file cannot be read.
        TruthError: it ends before the last of the days, or names a transaction twice.
        """
        parts, fraud = [], []
        for chunk in ColumnReader(path, HANDBOOK, _COLUMNS).chunks():
            rows = np.arange(len(chunk))
            currencies = [HANDBOOK.constants["currency"]] * len(chunk)
            amounts = default_reporting_currency().column(chunk.amounts_minor(currencies, rows).tolist(), currencies)
            ids = [chunk.texts(field, rows) for field in ("card_id", "transaction_id", "terminal_id")]
            parts.append(TransactionColumns.from_arrays(chunk.event_times(), amounts, *ids))
            fraud.append(chunk.flags("is_fraud"))
        columns = TransactionColumns.concat(parts)
        start_ms = int(columns.event_time[0]) // DAY_MS * DAY_MS if len(columns) else 0
        wanted = columns.event_time < start_ms + days * DAY_MS
        if not len(columns) or columns.event_time.max() < start_ms + (days - 1) * DAY_MS:
            raise TruthError(f"{path} has no transactions on event day {days - 1}: give a file of at least {days} days")
        index = HashIndex()
        index.add(columns.transaction[wanted])
        if index.count != int(wanted.sum()):
            raise TruthError(
                f"{path} names {int(wanted.sum()) - index.count} transactions twice: make their ids unique"
            )
        return cls(columns.take(wanted), np.concatenate(fraud)[wanted], start_ms, index)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def days(self) -> npt.NDArray[np.int64]:
        """Event day of each transaction."""
        return (self.columns.event_time - self.start_ms) // DAY_MS

    def day_ms(self, day: int) -> int:
        """Event time at which a day starts."""
        return self.start_ms + day * DAY_MS

    def rows_of(self, transaction_ids: list[str]) -> npt.NDArray[np.int64]:
        """Row of each transaction, -1 for one that is not in the file."""
        return self._rows.look_up(hash64_column(transaction_ids)).astype(np.int64)

    def history(self, label_delay_ms: int) -> History:
        """The same as an offline history: frauds labelled after the delay, nothing declined."""
        labelled_at = np.where(self.is_fraud, self.columns.event_time + label_delay_ms, NO_LABEL)
        return History(self.columns, self.is_fraud, labelled_at)
