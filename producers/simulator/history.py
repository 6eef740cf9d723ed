"""Simulated days as a history to train on."""

from collections.abc import Iterable

import numpy as np

from models.features.history import NO_LABEL, History
from models.schema.columns import TransactionColumns
from models.schema.money import ReportingCurrency, default_reporting_currency
from producers.simulator.simulated_day import SimulatedDay
from producers.simulator.statements import fraud_reports


def history(days: Iterable[SimulatedDay], seed: int, rates: ReportingCurrency | None = None) -> History:
    """Return the transactions of some days with what is said about them.

    Each fraud carries the time of its report, the same that `statements` gives; a genuine transaction carries none. The
    mistakes among the reports are left out: a history holds one label per transaction, the one that stays.

    Parameters
    ----------
    days
        Days in order.
    seed
        The seed that `statements` is given.
    rates
        What amounts are reported in; euro by default.
    """
    currency = rates or default_reporting_currency()
    columns, is_fraud, labelled_at = [TransactionColumns.empty()], [np.empty(0, np.bool_)], [np.empty(0, np.int64)]
    for day in days:
        rows, _, reported_at = fraud_reports(day, seed)
        known_at = np.full(len(day), NO_LABEL, np.int64)
        known_at[rows] = reported_at
        columns.append(day.columns(currency))
        is_fraud.append(day.is_fraud)
        labelled_at.append(known_at)
    return History(TransactionColumns.concat(columns), np.concatenate(is_fraud), np.concatenate(labelled_at))
