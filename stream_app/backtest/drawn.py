"""Transactions of a backtest as the control group's draw sees them: an id and a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

from models.schema.columns import TransactionColumns


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """What decides the draw; `event_time` in ms."""

    transaction_id: str
    event_time: int


class DrawnRows(Sequence[DrawnRow]):
    """Rows of a history from one on, made when they are looked at: next to none are declined.

    Parameters
    ----------
    columns: of the whole history.
    first: row that is number 0 here.
    """

    def __init__(self, columns: TransactionColumns, first: int) -> None:
        self._columns = columns
        self._first = first

    def __len__(self) -> int:
        """How many rows."""
        return len(self._columns.event_time) - self._first

    @overload
    def __getitem__(self, row: int) -> DrawnRow: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[DrawnRow]: ...
    def __getitem__(self, row: int | slice) -> DrawnRow | Sequence[DrawnRow]:
        """Return a row."""
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        at = self._first + row
        return DrawnRow(str(self._columns.transaction[at]), int(self._columns.event_time[at]))
