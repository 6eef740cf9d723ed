"""One Delta table that is appended to: every commit says how far its Kafka partitions have come."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Literal

import pyarrow as pa
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from models.errors import FraudstreamError
from stream_app.archive.tables import EVENT_DAY, SCHEMAS, event_days, table_url

SMALL_FILE_BYTES: Final = 32 << 20
"""Files below this are worth compacting; deltalake writes up to 100 MB."""
CHECKPOINT_EVERY: Final = 50
"""Versions between checkpoints of Delta's log: so many small files are read to open a table."""


class ArchiveTableError(FraudstreamError):
    """Raised when a table cannot be created, opened or written."""


class StalePositionError(FraudstreamError):
    """Raised when another process has moved a table on."""


class ArchiveTable:
    """Appends rows and positions in one commit.

    A position is an application transaction: a name and a number that only grows. Delta refuses a commit that names a
    transaction which another commit has moved since the table was read, so a second writer cannot double anything.

    Parameters
    ----------
    base: the archive's folder or URL.
    name: the table's name.
    storage_options: what the object store asks for.
    keep_versions_days: how long a version can be read after a later one.

    Raises
    ------
    ArchiveTableError: the storage refuses.
    """

    def __init__(self, base: str, name: str, storage_options: Mapping[str, str], keep_versions_days: int) -> None:
        self.name = name
        self.url = table_url(base, name)
        kept = f"interval {keep_versions_days} days"
        try:
            self._table = DeltaTable.create(
                self.url,
                SCHEMAS[name],
                mode="ignore",
                partition_by=[EVENT_DAY],
                storage_options=dict(storage_options),
                configuration={
                    "delta.logRetentionDuration": kept,
                    "delta.deletedFileRetentionDuration": kept,
                    "delta.checkpointInterval": str(CHECKPOINT_EVERY),
                },
            )
        except (DeltaError, OSError) as error:
            raise ArchiveTableError(
                f"table {self.url} cannot be opened: {error}; check --archive and --storage-option"
            ) from error
        self._keep_hours = keep_versions_days * 24
        self.small_files = self._count_small_files()

    @property
    def version(self) -> int:
        """The newest version."""
        return int(self._table.version())

    @property
    def table_id(self) -> str:
        """What tells this table from another one at the same place."""
        return str(self._table.metadata().id)

    def position(self, name: str) -> int | None:
        """The number last committed under a name; None before the first."""
        return self._table.transaction_version(name)

    def append(self, rows: pa.Table, positions: Mapping[str, int]) -> None:
        """Commit rows, possibly none, and what has become of the positions.

        Raises
        ------
        StalePositionError: another process has moved one of the positions.
        ArchiveTableError: the storage refuses.
        """
        transactions = [Transaction(app_id, version) for app_id, version in positions.items()]
        try:
            write_deltalake(
                self._table,
                rows,
                mode="append",
                writer_properties=_APPENDED,
                commit_properties=CommitProperties(app_transactions=transactions),
            )
        except CommitFailedError as error:
            raise StalePositionError(
                f"table {self.url} has been moved on by another process since version {self.version}: nothing was "
                "written; let one `fraudstream archive` run against it"
            ) from error
        except (DeltaError, OSError) as error:
            raise ArchiveTableError(f"table {self.url} cannot be written: {error}; mend the storage") from error
        self.small_files.update(set(event_days(rows)))

    def compact(self, day: int) -> int:
        """Write the small files of an event day as few large ones; return how many there were.

        The rows stay as they are, and earlier versions can still be read.
        """
        text = pa.scalar(day, pa.int32()).cast(pa.date32()).as_py().isoformat()
        outcome: dict[str, Any] = self._table.optimize.compact(
            partition_filters=[(EVENT_DAY, "=", text)], max_concurrent_tasks=1, writer_properties=_COMPACTED
        )
        self.small_files.pop(day, None)
        return int(outcome["numFilesRemoved"])

    def vacuum(self) -> int:
        """Delete files that only versions older than `keep_versions_days` need; return how many."""
        return len(self._table.vacuum(retention_hours=self._keep_hours, dry_run=False))

    def _count_small_files(self) -> "Counter[int]":
        files = pa.table(self._table.get_add_actions(flatten=True))
        sizes: list[int] = files.column("size_bytes").to_pylist()  # type: ignore[assignment]  # none is missing
        days = event_days(files, f"partition.{EVENT_DAY}") if sizes else []
        return Counter(day for day, size in zip(days, sizes, strict=True) if size < SMALL_FILE_BYTES)


_WITHOUT_DICTIONARY: Final = (
    *("transaction_id", "event_time", "source_offset", "scored_at", "score", "kafka_offset", "kafka_timestamp"),
    *("values.list.element", "values.list.item"),
)
"""Columns whose values hardly repeat: a dictionary of them takes twice the time and more bytes."""


def _writer(compression: Literal["SNAPPY", "ZSTD"]) -> WriterProperties:
    plain = dict.fromkeys(_WITHOUT_DICTIONARY, ColumnProperties(dictionary_enabled=False))
    return WriterProperties(compression=compression, column_properties=plain)


_APPENDED: Final = _writer("SNAPPY")
"""Half the CPU time of ZSTD for 70 feature values a row, a third more bytes."""
_COMPACTED: Final = _writer("ZSTD")
"""Written once and kept."""
