"""Features of a history without Kafka: step by step or at once, bit-equal to what scorer and keeper compute."""

from collections.abc import Iterator
from typing import NamedTuple

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


class ReplayStep(NamedTuple):
    """Rows that are scored with the same profiles.

    Attributes
    ----------
    as_of: event time of the profiles, ms.
    rows: of the history.
    values: float32[n, F] of these rows, a view of the replay's own.
    """

    as_of: int
    rows: slice
    values: npt.NDArray[np.float32]


class FeatureReplay:
    """Computes the features of a history step by step, as in a stream that waits until the profiles are applied.

    Each transaction sees its card's earlier transactions and the terminal profiles of the last step at or before the
    largest event time so far. What is decided about the rows of a step, in `declined`, counts in the profiles later:
    whoever takes a step may set it before taking the next.

    Parameters
    ----------
    history: [n] transactions in the order in which they came.
    feature_set: the columns to compute.
    maturity_ms: how old a transaction is when the profiles count it.

    Attributes
    ----------
    values: float32[n, F] filled as the steps go by.
    declined: bool[n] decisions, as the history has them.
    unheard: bool[n] rows whose label nobody will ever state, because they were declined; none at first.
    """

    def __init__(self, history: History, feature_set: FeatureSet, maturity_ms: int = MATURITY_MS) -> None:
        self.values = np.zeros((len(history), len(feature_set)), np.float32)
        self.declined = np.zeros(len(history), np.bool_) if history.declined is None else history.declined.copy()
        self.unheard = np.zeros(len(history), np.bool_)
        self._history = history
        self._feature_set = feature_set
        self._maturity_ms = maturity_ms

    def steps(self) -> Iterator[ReplayStep]:
        """Yield each step with its values."""
        columns = self._history.columns
        CardState(self._feature_set).advance(columns, self.values, np.zeros(len(columns), np.uint8))
        explained = self._feature_set.explained(self.values)
        terminals = HashIndex()
        numbers = terminals.add(columns.terminal)
        hashes = np.zeros(terminals.count, np.uint64)
        hashes[numbers] = columns.terminal
        counts = TerminalCounts(self._maturity_ms)
        statements = LabelStatements(counts)
        table = ProfileTable(self._feature_set)
        labels = _Labels(self._history, self.unheard)
        for as_of, start, stop in _steps(columns.event_time):
            for statement in labels.made_by(as_of):
                statements.add(statement)
            statements.take_due(as_of)
            step = counts.close(as_of, terminals.count)
            table.apply_counts(as_of, hashes[step.terminals], step.counts, step.times)
            rows = slice(start, stop)
            table.fill(columns.slice(start, stop), self.values[rows])
            yield ReplayStep(as_of, rows, self.values[rows])
            stored = counts.add(
                columns.event_time[rows], numbers[rows], columns.transaction[rows], self.declined[rows], explained[rows]
            )
            statements.transactions_came(stored)


def batch_features(
    history: History, feature_set: FeatureSet, maturity_ms: int = MATURITY_MS
) -> npt.NDArray[np.float32]:
    """Return the feature rows of a whole history, float32[n, F]; see `FeatureReplay`."""
    replay = FeatureReplay(history, feature_set, maturity_ms)
    for _ in replay.steps():
        pass
    return replay.values


class _Labels:
    """The labels of a history in the order in which they were made."""

    def __init__(self, history: History, unheard: npt.NDArray[np.bool_]) -> None:
        self._history = history
        self._unheard = unheard
        labelled = np.flatnonzero(history.labelled_at != NO_LABEL)
        self._rows = labelled[np.argsort(history.labelled_at[labelled], kind="stable")]
        self._made_at = history.labelled_at[self._rows]
        self._taken = 0

    def made_by(self, as_of: int) -> Iterator[Statement]:
        """Yield the labels made since the last call and by `as_of`."""
        upto = int(np.searchsorted(self._made_at, as_of, side="right"))
        due = self._rows[self._taken : upto]
        for row in due[~self._unheard[due]].tolist():
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
