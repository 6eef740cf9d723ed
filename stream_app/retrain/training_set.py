"""The rows of the archive that a retrain learns from: recorded feature values, labels as known at a moment."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.drift.words import date
from models.features.feature_set import DEFAULT, WARM_UP_DAYS
from models.features.history import NO_LABEL
from models.retraining.evidence import Evidence, control_weights
from models.schema.hashing import hash64_column
from models.schema.money import default_reporting_currency
from models.schema.topics import DAY_MS, SCORES
from models.side_by_side import side_by_side
from models.training_rows import TrainingError, TrainingRows
from stream_app.archive.history import ArchivedHistory
from stream_app.archive.table_files import quoted

_RATES: Final = default_reporting_currency()
_COLUMNS: Final = (
    "event_time, coalesce(card_id, '') AS card_id, coalesce(terminal_id, '') AS terminal_id, "
    f"coalesce(amount_minor, 0) AS amount_minor, coalesce(currency, {quoted(_RATES.currency)}) AS currency, "
    "score::FLOAT AS score, decision = 'decline' AS declined, pass_probability, "
    f"coalesce(is_fraud, false) AS is_fraud, coalesce(labelled_at, {NO_LABEL}) AS labelled_at, "
    "model_version, values"
)
ANSWERED: Final = "verified AND NOT coalesce(duplicate, false) AND (decision <> 'decline' OR is_fraud IS NOT NULL)"
"""Rows of the view `scored` that say something of a model: their label, where they were declined, was stated."""
_USABLE: Final = f"{ANSWERED} AND len(values) = {len(DEFAULT)} AND feature_set = {quoted(DEFAULT.version)}"
_DAYS_AT_ONCE: Final = 2
"""Read side by side: a day is one group of rows, which the database reads on one thread."""
_ORDER: Final = "event_time, transaction_id, kafka_partition, kafka_offset"


class TrainingSet:
    """What can be learned at a moment from the archive as it stood at some versions.

    A row counts when its feature values were recorded as used (a recomputed row whose score came out unequal was not)
    and it is no repetition. A declined one counts only where somebody has stated what it was; one that was let pass
    as a control row counts, for as many as its chance says.

    Parameters
    ----------
    history: the archive, pinned.
    as_of: event time, ms; statements made later are not known.
    maturity_days: event days after which labels count as complete; only whole mature days count.
    train_from: first event day that counts; None is the archive's first one behind WARM_UP_DAYS.

    Raises
    ------
    TrainingError: no event day counts.
    """

    def __init__(self, history: ArchivedHistory, as_of: int, maturity_days: float, train_from: int | None) -> None:
        self._history = history
        self._as_of = as_of
        known = history.days()
        if not known:
            raise TrainingError("the archive holds no scored transaction; let it run, or give another --archive")
        first = max(known[0], known[0] + WARM_UP_DAYS if train_from is None else train_from)
        end = (as_of - round(maturity_days * DAY_MS)) // DAY_MS
        self._days = [day for day in known if first <= day < end]
        self._span = (first, end)
        if not self._days:
            raise TrainingError(
                f"the archive's event days {_text(known[0])} to {_text(known[-1])} leave nothing to train on: rows "
                f"count from {_text(first)} on, once windows are full, and up to {_text(end - 1)}, the last mature day "
                f"as of {_text(as_of // DAY_MS)}; wait, or give an earlier --train-from"
            )

    def read(self, largest_weight: float, fitted_until: Mapping[str, int]) -> Evidence:
        """Return the rows, in order of event time.

        Parameters
        ----------
        largest_weight: weight that no control row exceeds.
        fitted_until: by version the event time of its last training row, ms. Where traffic is replayed a model decides
            on rows that it was fitted on: such a score says nothing, and is unknown here.

        Raises
        ------
        TrainingError: no row counts.
        """
        columns = _Columns(self._most_rows())
        for at in range(0, len(self._days), _DAYS_AT_ONCE):
            days = self._days[at : at + _DAYS_AT_ONCE]
            for found in side_by_side(partial(self._day, day, fitted_until) for day in days):
                columns.append(found)
        first, end = self._span
        span = f"{_text(first)} to {_text(end - 1)}"
        if not columns.rows:
            raise TrainingError(
                f"no row of {span} has recorded values of feature set {DEFAULT.version}; wait until this release has "
                "scored some days, or give another --train-from"
            )
        taken = columns.taken()
        stated = taken["labelled_at"] != NO_LABEL
        rows = TrainingRows(
            values=taken["values"],
            is_fraud=taken["is_fraud"] & stated,
            event_time=taken["event_time"],
            card=taken["card"],
            description=f"archive, {span}, labels as of {_text(self._as_of // DAY_MS)}",
            weight=control_weights(taken["declined"], taken["pass_probability"], largest_weight),
            table_versions=self._history.versions,
            terminal=taken["terminal"],
            labelled_at=taken["labelled_at"],
            reference_days=(first, end),
        )
        return Evidence(rows=rows, amount_minor=taken["amount_minor"], live=taken["live"])

    def _most_rows(self) -> int:
        return len(self._history.table(SCORES, self._days).filter("kept"))

    def _day(self, day: int, fitted_until: Mapping[str, int]) -> dict[str, npt.NDArray[Any]]:
        with self._history.beside() as history:
            chosen = history.scored([day], self._as_of).filter(_USABLE)
            return _decoded(chosen.order(_ORDER).select(_COLUMNS).to_arrow_table(), fitted_until)


_DTYPES: Final[dict[str, Any]] = {
    "event_time": np.int64,
    "card": np.uint64,
    "terminal": np.uint64,
    "amount_minor": np.int64,
    "live": np.float32,
    "declined": np.bool_,
    "pass_probability": np.float32,
    "is_fraud": np.bool_,
    "labelled_at": np.int64,
}


class _Columns:
    """Arrays for at most so many rows, filled day by day: nothing is held twice but a few days."""

    def __init__(self, most: int) -> None:
        self.rows = 0
        self._columns: dict[str, npt.NDArray[Any]] = {name: np.empty(most, dtype) for name, dtype in _DTYPES.items()}
        self._columns["values"] = np.empty((most, len(DEFAULT)), np.float32)

    def append(self, day: Mapping[str, npt.NDArray[Any]]) -> None:
        """Add a day."""
        behind = self.rows + len(day["event_time"])
        for name, column in day.items():
            self._columns[name][self.rows : behind] = column
        self.rows = behind

    def taken(self) -> dict[str, npt.NDArray[Any]]:
        """Return what was added."""
        return {name: column[: self.rows] for name, column in self._columns.items()}


def _decoded(table: pa.Table, fitted_until: Mapping[str, int]) -> dict[str, npt.NDArray[Any]]:
    columns: dict[str, Any] = {name: table.column(name).combine_chunks() for name in table.column_names}
    arrays = {name: columns[name].to_numpy(zero_copy_only=False) for name in _DTYPES if name in columns}
    values = columns["values"].flatten().to_numpy(zero_copy_only=False)
    return arrays | {
        "card": _hashed(columns["card_id"]),
        "terminal": _hashed(columns["terminal_id"]),
        "amount_minor": _reported(arrays["amount_minor"], columns["currency"]),
        "live": _unseen(columns, fitted_until),
        "values": values.reshape(-1, len(DEFAULT)),
    }


def _unseen(columns: Mapping[str, Any], fitted_until: Mapping[str, int]) -> npt.NDArray[np.float32]:
    versions = columns["model_version"].dictionary_encode()
    known = np.array([fitted_until.get(version, -1) for version in versions.dictionary.to_pylist()] or [-1], np.int64)
    times = columns["event_time"].to_numpy(zero_copy_only=False)
    score = columns["score"].to_numpy(zero_copy_only=False)
    return np.where(times > known[versions.indices.to_numpy()], score, np.float32(np.nan)).astype(np.float32)


def _hashed(ids: Any) -> npt.NDArray[np.uint64]:
    """Hash each distinct text once."""
    encoded = ids.dictionary_encode()
    return np.asarray(hash64_column(encoded.dictionary.to_pylist())[encoded.indices.to_numpy()])


def _reported(amounts: npt.NDArray[np.int64], currencies: Any) -> npt.NDArray[np.int64]:
    """Turn amounts into the reporting currency; those that are in it, mostly all, stay as they are."""
    encoded = currencies.dictionary_encode()
    codes, reported = encoded.indices.to_numpy(), amounts.copy()
    for code, currency in enumerate(encoded.dictionary.to_pylist()):
        if currency != _RATES.currency:
            chosen = codes == code
            reported[chosen] = [_RATES.to_reporting(int(amount), currency) for amount in amounts[chosen]]
    return reported


def _text(day: int) -> str:
    return date(day * DAY_MS)
