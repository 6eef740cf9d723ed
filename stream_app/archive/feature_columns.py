"""Arrow messages of `features` as columns of their table."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from confluent_kafka import Message

from models.schema.decoding import Rejection
from models.schema.feature_batch import FeatureBatchError, FeatureBatchHeader, FeatureRows, decode_feature_batch
from models.schema.field_types import EARLIEST_MS, LATEST_MS
from models.schema.topics import FEATURES
from stream_app.archive.reader_rule import source_key
from stream_app.archive.records import Decoded, Records, row_batch
from stream_app.archive.tables import SCHEMAS

_SCHEMA: Final = SCHEMAS[FEATURES]
_TAKEN: Final = pa.schema([_SCHEMA.field(at) for at in range(_SCHEMA.get_field_index("values"))])


@dataclass(slots=True)
class FeatureCoverage:
    """How far each partition of `transactions` is covered by feature rows, as keys of (epoch, offset).

    Attributes
    ----------
    covered: behind the last offset that a message says it covers, rejected records included.
    last_rows: the last row.
    """

    covered: dict[int, int] = field(default_factory=dict)
    last_rows: dict[int, int] = field(default_factory=dict)

    def see(self, partition: int, header: FeatureBatchHeader, rows: FeatureRows | None) -> None:
        """Take note of a message."""
        covered = source_key(header.epoch, header.last_offset + 1)
        self.covered[partition] = max(covered, self.covered.get(partition, 0))
        if rows is not None and len(rows):
            last = source_key(header.epoch, int(rows.numpy("source_offset").max()))
            self.last_rows[partition] = max(last, self.last_rows.get(partition, -1))


class FeatureColumns:
    """Decodes whole messages; those of one partition and poll become one batch.

    Attributes
    ----------
    coverage: what all messages so far covered.
    """

    def __init__(self, coverage: FeatureCoverage) -> None:
        self.coverage = coverage
        self._proven: list[pa.Schema] = []

    def rows(self, records: Records) -> Decoded:
        """Rows of `features`."""
        held: list[tuple[Message, FeatureBatchHeader, FeatureRows]] = []
        refused: list[Rejection] = []
        for index, message in enumerate(records.messages):
            try:
                header, rows = self._decode(message)
            except FeatureBatchError as error:
                refused.append(Rejection.of(index, str(error), message.value()))
                continue
            self.coverage.see(records.partition, header, rows)
            if rows is not None and len(rows):
                held.append((message, header, rows))
        return Decoded(_batch(records, held), refused)

    def _decode(self, message: Message) -> tuple[FeatureBatchHeader, FeatureRows | None]:
        header = FeatureBatchHeader.decode(message.headers() or ())  # type: ignore[arg-type]  # bytes, as written
        value = message.value()
        rows = decode_feature_batch(value) if value else None
        if rows is not None and len(rows):
            self._prove(rows)
        return header, rows

    def _prove(self, rows: FeatureRows) -> None:
        """Refuse what does not fit the table, so that one message cannot spoil its neighbours."""
        if rows.table.schema not in self._proven:
            try:
                pa.Table.from_batches([rows.table]).select(_TAKEN.names).cast(_TAKEN)
            except (pa.ArrowException, KeyError) as error:
                raise FeatureBatchError(f"feature batch has other columns than the table ({error})") from None
            self._proven.append(rows.table.schema)
        times = rows.numpy("event_time")
        if times.min() < EARLIEST_MS or times.max() >= LATEST_MS:
            raise FeatureBatchError(f"feature batch has event times from {times.min()} to {times.max()}")


def _batch(records: Records, held: list[tuple[Message, FeatureBatchHeader, FeatureRows]]) -> pa.RecordBatch:
    if not held:
        return pa.RecordBatch.from_arrays([pa.array([], column.type) for column in _SCHEMA], schema=_SCHEMA)
    lengths = np.array([len(rows) for *_, rows in held])
    columns: dict[str, Any] = dict(zip(_TAKEN.names, _taken([rows.table for *_, rows in held]), strict=True))
    columns["values"] = _values([rows.values for *_, rows in held])
    columns["feature_set"] = np.repeat([header.feature_set for _, header, _ in held], lengths).tolist()
    offsets = np.repeat(np.array([message.offset() or 0 for message, *_ in held], np.int64), lengths)
    timestamps = np.repeat(np.array([message.timestamp()[1] for message, *_ in held], np.int64), lengths)
    return row_batch(_SCHEMA, columns, records, offsets, timestamps)


def _taken(batches: list[pa.RecordBatch]) -> "list[pa.Array[Any]]":
    """The columns of all messages, names in place of codes; messages of one schema are cast together."""
    alike = all(batch.schema.equals(batches[0].schema) for batch in batches)
    groups = [batches] if alike else [[batch] for batch in batches]
    tables = [pa.Table.from_batches(group).select(_TAKEN.names).cast(_TAKEN) for group in groups]
    whole: Any = pa.concat_tables(tables).combine_chunks()
    return [column.chunk(0) for column in whole.columns]


def _values(parts: list[npt.NDArray[np.float32]]) -> "pa.Array[Any]":
    ends = np.cumsum(np.concatenate([np.full(len(part), part.shape[1], np.int32) for part in parts]), dtype=np.int32)
    flat = np.concatenate([part.reshape(-1) for part in parts])
    return pa.ListArray.from_arrays(pa.array(np.concatenate(([0], ends)), pa.int32()), pa.array(flat))
