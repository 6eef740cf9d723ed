"""Features of a whole history at once, bit-equal to what scorer and profile keeper compute in lockstep."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from models.features.card_state import CardState
from models.features.feature_set import FeatureSet
from models.features.hash_index import HashIndex
from models.features.history import NO_LABEL, History
from models.features.label_statements import LabelStatements, Statement
from models.features.profile_keeper import MATURITY_MS
from models.features.profile_table import ProfileTable
from models.features.terminal_counts import STEP_MS, TerminalCounts


def batch_features(
    history: History, feature_set: FeatureSet, maturity_ms: int = MATURITY_MS
) -> npt.NDArray[np.float32]:
    """Return the feature rows of a history.

    Each transaction sees its card's earlier transactions and the terminal profiles of the last step at or before the
    largest event time so far, as in a stream that waits at each step until the profiles are applied.

    Parameters
    ----------
    history: [n] transactions in the order in which they came.
    feature_set: the columns to compute.
    maturity_ms: how old a transaction is when the profiles count it.

    Returns
    -------
    float32[n, F]
    """
    out = np.zeros((len(history), len(feature_set)), np.float32)
    CardState(feature_set).advance(history.columns, out, np.zeros(len(history), np.uint8))
    _fill_profiles(history, feature_set, maturity_ms, out)
    return out


def _fill_profiles(history: History, feature_set: FeatureSet, maturity_ms: int, out: npt.NDArray[np.float32]) -> None:
    columns = history.columns
    declined = np.zeros(len(history), np.bool_) if history.declined is None else history.declined
    explained = feature_set.explained(out)
    terminals = HashIndex()
    numbers = terminals.add(columns.terminal)
    hashes = np.zeros(terminals.count, np.uint64)
    hashes[numbers] = columns.terminal
    counts = TerminalCounts(maturity_ms)
    statements = LabelStatements(counts)
    table = ProfileTable(feature_set)
    labels = _Labels(history)
    for as_of, start, stop in _steps(columns.event_time):
        for statement in labels.made_by(as_of):
            statements.add(statement)
        statements.take_due(as_of)
        step = counts.close(as_of, terminals.count)
        table.apply_counts(as_of, hashes[step.terminals], step.counts, step.times)
        rows = slice(start, stop)
        table.fill(columns.slice(start, stop), out[rows])
        stored = counts.add(
            columns.event_time[rows], numbers[rows], columns.transaction[rows], declined[rows], explained[rows]
        )
        statements.transactions_came(stored)


class _Labels:
    """The labels of a history in the order in which they were made."""

    def __init__(self, history: History) -> None:
        self._history = history
        labelled = np.flatnonzero(history.labelled_at != NO_LABEL)
        self._rows = labelled[np.argsort(history.labelled_at[labelled], kind="stable")]
        self._made_at = history.labelled_at[self._rows]
        self._taken = 0

    def made_by(self, as_of: int) -> Iterator[Statement]:
        """Yield the labels made since the last call and by `as_of`."""
        upto = int(np.searchsorted(self._made_at, as_of, side="right"))
        for row in self._rows[self._taken : upto].tolist():
            columns = self._history.columns
            yield Statement(
                int(self._history.labelled_at[row]),
                (0, row),
                int(columns.transaction[row]),
                int(columns.event_time[row]),
                bool(self._history.is_fraud[row]),
            )
        self._taken = upto


def _steps(event_time: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yield each step as of which rows are scored, with the first of these rows and the first after them."""
    steps = np.maximum.accumulate(event_time) // STEP_MS
    starts = np.flatnonzero(np.diff(steps, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(steps)], strict=True):
        yield int(steps[start]) * STEP_MS, int(start), int(stop)
