"""Records as Kafka gives them, by partition, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from confluent_kafka import Message

from models.schema.decoding import Rejection
from models.schema.topics import DAY_MS
from stream_app.archive.tables import EVENT_DAY

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Records:
    """What one partition brought, in offset order."""

    topic: str
    partition: int
    messages: Sequence[Message]

    @property
    def values(self) -> list[bytes | None]:
        """Their bytes."""
        return [message.value() for message in self.messages]

    @property
    def next_offset(self) -> int:
        """Where the next record lies, or behind it."""
        return (self.messages[-1].offset() or 0) + 1

    def origin(self, indices: Sequence[int]) -> tuple[Ints, Ints]:
        """Offset and Kafka timestamp (ms) of some of them."""
        chosen = self.messages if len(indices) == len(self.messages) else [self.messages[at] for at in indices]
        offsets = np.fromiter([message.offset() or 0 for message in chosen], np.int64, len(chosen))
        return offsets, np.fromiter([message.timestamp()[1] for message in chosen], np.int64, len(chosen))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Rows for a table, and the records that give none because they cannot be decoded."""

    rows: pa.RecordBatch
    refused: list[Rejection] = field(default_factory=list)


def row_batch(
    schema: pa.Schema, columns: dict[str, Any], records: Records, offsets: Ints, timestamps: Ints
) -> pa.RecordBatch:
    """Return columns with the origin of their rows, in the order and types of a table."""
    times = np.asarray(columns["event_time"], np.int64)
    whole = columns | {
        "kafka_partition": np.full(len(times), records.partition, np.int32),
        "kafka_offset": offsets,
        "kafka_timestamp": timestamps,
        EVENT_DAY: (times // DAY_MS).astype(np.int32),
    }
    arrays = [_array(whole[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(column: Any, of_type: pa.DataType) -> "pa.Array[Any]":
    if isinstance(column, pa.Array):
        return column
    if pa.types.is_date32(of_type):
        return pa.array(column, pa.int32()).cast(of_type)
    return pa.array(column, of_type)
