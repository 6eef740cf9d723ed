"""The archive read back: what was scored on a day, with the feature values that were used and what is known of it."""

from collections.abc import Collection, Mapping
from copy import copy
from typing import Any, Final, Self, get_args

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.features.feature_set import feature_set
from models.features.history import NO_LABEL
from models.metrics.scored_rows import ScoredRows
from models.schema.feature_batch import DECISIONS
from models.schema.hashing import hash64_column
from models.schema.label import LabelSource
from models.schema.money import default_reporting_currency
from models.schema.topics import DAY_MS, LABELS, SCORES
from stream_app.archive.scored_view import day_text, scored_sql
from stream_app.archive.table_files import TableFiles, quoted
from stream_app.archive.tables import TABLES

_SOURCES: Final = {str(name): place for place, name in enumerate(get_args(LabelSource), 1)}
_DECISIONS: Final = {str(name): place for place, name in enumerate(DECISIONS)}
_COLUMNS: Final = (
    "event_time, transaction_id, card_id, terminal_id, amount_minor, currency, score, decision, control, "
    "pass_probability, is_fraud, labelled_at, label_source, latency_ms, feature_set"
)

Floats = npt.NDArray[np.float32]


class ArchivedHistory:
    """Reads the tables as they stood at some versions; pinned ones give the same rows for ever.

    A connection of its own and no state beside it: one object may be used by one thread at a time.

    Parameters
    ----------
    url: the archive's folder or object-store URL.
    versions: version of each table, as an `ArchiveCommit` names them; the newest of each by default.
    storage_options: what the object store asks for.

    Raises
    ------
    ArchiveMissingError: there is no archive at the URL, or not that version of a table.
    """

    def __init__(
        self, url: str, versions: Mapping[str, int] | None = None, storage_options: Mapping[str, str] | None = None
    ) -> None:
        pinned = versions or {}
        self._tables = {name: TableFiles(url, name, pinned.get(name), storage_options) for name in TABLES}
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": False})
        self._connection.execute("SET enable_progress_bar = false")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def beside(self) -> Self:
        """Return the same tables at the same versions for another thread; to be closed as well."""
        twin = copy(self)
        twin._connection = self._connection.cursor()  # noqa: SLF001  of a copy
        return twin

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def interrupt(self) -> None:
        """Break off what another thread is asking; it gets `duckdb.InterruptException`."""
        self._connection.interrupt()

    @property
    def versions(self) -> dict[str, int]:
        """Version of each table that is read."""
        return {name: table.version for name, table in self._tables.items()}

    def days(self, table: str = SCORES) -> list[int]:
        """Event days that a table has rows of, in order; those with a score by default."""
        return self._tables[table].days()

    def model_versions(self, day: int) -> list[str]:
        """Versions that decided on a day's transactions, the one with most of them first."""
        source = self._source(SCORES, [day])
        found = self._connection.execute(
            f"SELECT model_version FROM {source} WHERE kept "  # noqa: S608  the source is ours
            "GROUP BY model_version ORDER BY count(*) DESC, model_version"
        ).fetchall()
        return [name for (name,) in found]

    def restated_days(self, after_ms: int, until_ms: int) -> list[int]:
        """Event days whose transactions somebody made a statement about after one moment and up to another."""
        predicate = [("labelled_at", ">", after_ms), ("labelled_at", "<=", until_ms)]
        source = self._tables[LABELS].source(self._connection, predicate)
        found = self._connection.execute(
            f"SELECT DISTINCT event_time // {DAY_MS} AS day FROM {source} "  # noqa: S608  the source is ours
            f"WHERE labelled_at > {after_ms:d} AND labelled_at <= {until_ms:d} ORDER BY day"
        ).fetchall()
        return [int(day) for (day,) in found]

    def scored(self, days: Collection[int], as_of_ms: int) -> duckdb.DuckDBPyRelation:
        """The view `scored` over some event days: one row per kept score, joined to all that belongs to it.

        Parameters
        ----------
        days: event days.
        as_of_ms: statements made later are not known.
        """
        return self._connection.sql(scored_sql({name: self._source(name, days) for name in TABLES}, days, as_of_ms))

    def scored_day(self, day: int, model_version: str, as_of_ms: int, *, with_values: bool = True) -> ScoredRows:
        """What one version decided on one event day, as known at a moment.

        Parameters
        ----------
        day: event day.
        model_version: the version that decided.
        as_of_ms: statements made later are not known.
        with_values: False leaves the feature values out, as float32[n, 0]. A row whose feature row is missing has NaN.
        """
        chosen = self.scored([day], as_of_ms).filter(f"model_version = {quoted(model_version)}")
        columns = _COLUMNS + (", values" if with_values else "")
        table = chosen.order("event_time, transaction_id, kafka_partition, kafka_offset").select(columns)
        return _scored_rows(table.to_arrow_table(), model_version, as_of_ms)

    def table(self, name: str, days: Collection[int] | None = None) -> duckdb.DuckDBPyRelation:
        """Every row of a table, or those of some event days."""
        source = self._tables[name].source(self._connection, []) if days is None else self._source(name, days)
        return self._connection.sql(f"SELECT * FROM {source}")  # noqa: S608  the source is ours

    def count(self, table: str) -> int:
        """Rows of a table."""
        return self._tables[table].rows()

    def _source(self, table: str, days: Collection[int]) -> str:
        return self._tables[table].source(self._connection, [("event_day", "in", [day_text(day) for day in days])])


def _scored_rows(table: pa.Table, model_version: str, as_of_ms: int) -> ScoredRows:
    stated = _filled(table, "labelled_at", NO_LABEL, np.int64)
    return ScoredRows(
        event_time=_filled(table, "event_time", 0, np.int64),
        transaction=_hashed(table, "transaction_id"),
        card=_hashed(table, "card_id"),
        terminal=_hashed(table, "terminal_id"),
        amount_minor=_reported(table),
        score=_filled(table, "score", 0.0, np.float32),
        decision=_coded(table, "decision", _DECISIONS),
        control=_filled(table, "control", False, np.bool_),
        pass_probability=_filled(table, "pass_probability", 1.0, np.float32),
        values=_values(table),
        is_fraud=_filled(table, "is_fraud", False, np.bool_),
        stated_at=stated,
        label_source=_coded(table, "label_source", _SOURCES),
        latency_ms=_filled(table, "latency_ms", np.nan, np.float32),
        model_version=model_version,
        as_of=as_of_ms,
    )


def _column(table: pa.Table, name: str) -> Any:
    return table.column(name).combine_chunks()


def _filled(table: pa.Table, name: str, missing: Any, dtype: Any) -> npt.NDArray[Any]:
    column = _column(table, name).fill_null(missing)
    return np.array(column.to_numpy(zero_copy_only=False), dtype)


def _hashed(table: pa.Table, name: str) -> npt.NDArray[np.uint64]:
    return hash64_column(_column(table, name).fill_null("").to_pylist())


def _reported(table: pa.Table) -> npt.NDArray[np.int64]:
    amounts, currencies = (_column(table, name).to_pylist() for name in ("amount_minor", "currency"))
    rates = default_reporting_currency()
    known = [rates.currency if currency is None else currency for currency in currencies]
    return np.array(rates.column([amount or 0 for amount in amounts], known), np.int64)


def _coded(table: pa.Table, name: str, codes: Mapping[str, int]) -> npt.NDArray[np.uint8]:
    return np.array([codes.get(text, 0) for text in _column(table, name).to_pylist()], np.uint8)


def _values(table: pa.Table) -> Floats:
    if "values" not in table.column_names:
        return np.empty((len(table), 0), np.float32)
    column = _column(table, "values")
    present = column.is_valid().to_numpy(zero_copy_only=False)
    if not present.any():
        width = len(feature_set(table.column("feature_set")[0].as_py())) if len(table) else 0
        return np.full((len(table), width), np.nan, np.float32)
    recorded = column.flatten().to_numpy(zero_copy_only=False).reshape(int(present.sum()), -1)
    values = np.full((len(table), recorded.shape[1]), np.nan, np.float32)
    values[present] = recorded
    return values
