"""The ground truth of simulated days, in a Parquet file."""

from pathlib import Path
from types import TracebackType
from typing import Self

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


class TruthFileError(FraudstreamError):
    """Raised when the truth cannot be written where it should go."""


class TruthFile:
    """Writes one row per transaction: its id, event time, card, terminal, day, is_fraud, tactic.

    The file appears under its name when it is complete, as far as was sent: an interrupted run leaves what was sent.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(path.name + ".partial")
        try:
            self._writer = pq.ParquetWriter(self._partial, _SCHEMA)
        except OSError as error:
            raise TruthFileError(f"cannot write {path}: {error.strerror or error}; give a folder that exists") from None

    def add(self, day: SimulatedDay, rows: slice = slice(None)) -> None:
        """Write some rows of a day."""
        is_fraud = day.is_fraud[rows]
        columns = {
            "transaction_id": day.transaction_ids[rows],
            "event_time": day.event_time[rows],
            "card_id": day.card_ids[rows],
            "terminal_id": day.terminal_ids[rows],
            "day": np.full(len(is_fraud), day.day),
            "is_fraud": is_fraud,
            "tactic": day.tactic[rows],
        }
        self._writer.write_table(pa.Table.from_pydict(columns, schema=_SCHEMA))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file and give it its name."""
        self._writer.close()
        self._partial.replace(self.path)
