"""A labelled file as a history to train on or to play again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.features.history import NO_LABEL, History
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.money import default_reporting_currency
from producers.column_mapping import ColumnMapping
from producers.column_reader import HistoryFileError
from producers.history import DAY_MS
from producers.history import History as FileHistory


def labelled_file(
    path: Path, mapping: ColumnMapping, to_day: int | None, label_delay_days: float, report: Callable[[str], None]
) -> History:
    """Read a file's days before `to_day`; each fraud is labelled `label_delay_days` after it happened.

    Raises
    ------
    HistoryFileError: nothing says which rows are fraud, or the file cannot be read.
    """
    if not mapping.has("is_fraud"):
        raise HistoryFileError(f"nothing says which rows of {path} are fraud; map is_fraud, as with --mapping handbook")
    rates = default_reporting_currency()
    columns, fraud, rows = [TransactionColumns.empty()], [np.empty(0, np.bool_)], 0
    file = FileHistory(path, mapping, to_day=to_day)
    for batch in file:
        if not len(batch):
            continue
        frauds = {transaction.transaction_id for transaction in batch.frauds}
        transactions = decode_transactions(batch.values)[0]
        columns.append(TransactionColumns.from_transactions(transactions, rates))
        fraud.append(np.array([one.transaction_id in frauds for one in transactions], np.bool_))
        rows += len(batch)
        report(f"reading {path.name}: {rows:,} transactions")
    if to_day is None and file.rows is not None and rows < file.rows:
        raise HistoryFileError(
            f"{file.rows - rows} rows of {path} lie before the day of its first row: sort it by event time"
        )
    is_fraud, joined = np.concatenate(fraud), TransactionColumns.concat(columns)
    labelled_at = np.where(is_fraud, joined.event_time + int(label_delay_days * DAY_MS), NO_LABEL)
    return History(joined, is_fraud, labelled_at)
