"""Histories to train on: a labelled file, or a simulated bank."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from models.errors import FraudstreamError
from models.features.history import NO_LABEL, History
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.money import default_reporting_currency
from producers import history as recorded
from producers.column_mapping import ColumnMapping
from producers.simulator.history import history as simulated_history
from producers.simulator.population import Population
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulation import Simulation

DAY_MS: Final = recorded.DAY_MS


class TrainingHistoryError(FraudstreamError):
    """Raised for a history that holds nothing to train on."""


def labelled_file(
    path: Path, mapping: ColumnMapping, to_day: int | None, label_delay_days: float, report: Callable[[str], None]
) -> History:
    """Read a file's days before `to_day`; each fraud is labelled `label_delay_days` after it happened."""
    if not mapping.has("is_fraud"):
        raise TrainingHistoryError(
            f"nothing says which rows of {path} are fraud; map is_fraud, as with --mapping handbook"
        )
    rates = default_reporting_currency()
    columns, fraud, rows = [TransactionColumns.empty()], [np.empty(0, np.bool_)], 0
    for batch in recorded.History(path, mapping, to_day=to_day):
        if not len(batch):
            continue
        frauds = {transaction.transaction_id for transaction in batch.frauds}
        transactions = decode_transactions(batch.values)[0]
        columns.append(TransactionColumns.from_transactions(transactions, rates))
        fraud.append(np.array([one.transaction_id in frauds for one in transactions], np.bool_))
        rows += len(batch)
        report(f"reading {path.name}: {rows:,} transactions")
    is_fraud, joined = np.concatenate(fraud), TransactionColumns.concat(columns)
    labelled_at = np.where(is_fraud, joined.event_time + int(label_delay_days * DAY_MS), NO_LABEL)
    return History(joined, is_fraud, labelled_at)


def simulated(days: int, seed: int, customers: int, report: Callable[[str], None]) -> History:
    """Simulate days from day 0, as `fraudstream simulate` does for the same seed and number of customers."""
    settings = PopulationSettings(
        customers=customers, terminals=max(100, customers // 5), transactions_per_day=2.0 * customers
    )
    report(f"simulating {days} days of {customers:,} customers")
    return simulated_history(Simulation(Population(settings, seed)).days(0, days), seed)


def known_by(history: History, as_of: int) -> History:
    """Return the history as it looked at `as_of`: later transactions and later labels are not there yet."""
    there = history.columns.event_time < as_of
    labelled_at = np.where(history.labelled_at <= as_of, history.labelled_at, NO_LABEL)[there]
    return History(history.columns.take(there), history.is_fraud[there] & (labelled_at != NO_LABEL), labelled_at)
