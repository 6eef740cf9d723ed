"""The ground truth of simulated days, in a Parquet file."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import FraudstreamError
from producers.simulator.simulated_day import SimulatedDay

_FIELDS: tuple[tuple[str, pa.DataType], ...] = (
    ("transaction_id", pa.string()),
    ("event_time", pa.int64()),
    ("card_id", pa.string()),
    ("terminal_id", pa.string()),
    ("day", pa.int32()),
    ("is_fraud", pa.bool_()),
    ("tactic", pa.string()),
)
_SCHEMA = pa.schema(_FIELDS)
ROW_GROUP = 65_536


class TruthFileError(FraudstreamError):
    """Raised when the truth cannot be written where it should go."""


class TruthFile:
    """Writes one row per transaction: its id, event time, card, terminal, day, is_fraud, tactic.

    The file appears under its name when it is complete, as far as was sent: an interrupted run leaves what was sent.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[pa.Table] = []
        self._partial = path.with_name(path.name + ".partial")
        try:
            self._file = self._partial.open("wb")
        except OSError as error:
            raise TruthFileError(f"cannot write {path}: {error.strerror}; give a folder that exists") from None
        self._writer = pq.ParquetWriter(self._file, _SCHEMA)

    def add(self, day: SimulatedDay) -> None:
        """Write the rows of a day, or of a part of one."""
        columns: dict[str, Any] = {
            "transaction_id": day.transaction_ids,
            "event_time": day.event_time,
            "card_id": day.card_ids,
            "terminal_id": day.terminal_ids,
            "day": np.full(len(day), day.day),
            "is_fraud": day.is_fraud,
            "tactic": day.tactic,
        }
        self._waiting.append(pa.Table.from_pydict(columns, schema=_SCHEMA))
        if sum(table.num_rows for table in self._waiting) >= ROW_GROUP:
            self._write()

    def _write(self) -> None:
        self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting.clear()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file and give it its name."""
        if self._waiting:
            self._write()
        self._writer.close()
        self._file.close()
        self._partial.replace(self.path)
