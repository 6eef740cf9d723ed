"""One table at one version: which files hold what is asked for, and how DuckDB reads them."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from stream_app.archive.tables import EVENT_DAY, SCHEMAS, ArchiveMissingError, event_days, table_url

_numbers: Final = itertools.count()

Predicate = Sequence[tuple[str, str, Any]]


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


class TableFiles:
    """The files of one table at one version.

    Local files are read by DuckDB itself; those of an object store through the file system of deltalake, so that no
    extension of DuckDB is needed.

    Parameters
    ----------
    base: the archive's folder or URL.
    name: the table's name.
    version: None is the newest.
    storage_options: what the object store asks for.
    """

    def __init__(
        self, base: str, name: str, version: int | None, storage_options: Mapping[str, str] | None = None
    ) -> None:
        self._name = name
        self._is_remote = "://" in base
        url = table_url(base, name)
        try:
            self._table = DeltaTable(url, version=version, storage_options=dict(storage_options or {}))
        except TableNotFoundError:
            raise ArchiveMissingError(
                f"there is no table {url}; start `fraudstream archive`, or give the archive's URL with --archive"
            ) from None
        except DeltaError as error:
            raise ArchiveMissingError(f"table {url} cannot be read at version {version}: {error}") from None

    @property
    def version(self) -> int:
        """The version that is read."""
        return int(self._table.version())

    def days(self) -> list[int]:
        """Event days with at least one file, in order."""
        files = pa.table(self._table.get_add_actions(flatten=True))
        return sorted(set(event_days(files, f"partition.{EVENT_DAY}"))) if len(files) else []

    def rows(self) -> int:
        """How many rows there are, by the table's own statistics."""
        return int(self._table.count())

    def source(self, connection: duckdb.DuckDBPyConnection, predicate: Predicate) -> str:
        """Return what to write behind FROM for the files that may hold rows of a predicate.

        Files are pruned, not rows: ask for the rows again in the query.
        """
        files = self._table.file_uris(file_pruning_predicate=list(predicate))
        if not files:
            return self._registered(connection, SCHEMAS[self._name].empty_table())
        if self._is_remote:
            dataset = self._table.to_pyarrow_dataset(file_pruning_predicate=list(predicate) or None)
            return self._registered(connection, dataset)
        listed = ", ".join(quoted(file) for file in files)
        return f"read_parquet([{listed}], hive_partitioning = true, hive_types = {{'{EVENT_DAY}': DATE}})"

    def _registered(self, connection: duckdb.DuckDBPyConnection, rows: Any) -> str:
        name = f"{self._name}_{next(_numbers)}"
        connection.register(name, rows)
        return name
