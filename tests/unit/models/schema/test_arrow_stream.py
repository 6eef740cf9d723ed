"""What is written without Arrow's arrays is what Arrow would write of them, byte for byte."""

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.schema.arrow_columns import Column, fixed, per_row, texts
from models.schema.arrow_stream import BatchStream

NAME = pa.dictionary(pa.int8(), pa.string())
TYPES: dict[str, pa.DataType] = {
    "id": pa.string(), "code": pa.string(), "at": pa.int64(), "score": pa.float32(), "flag": pa.bool_(),
    "epoch": pa.int32(), "writer": NAME, "role": NAME,
}  # fmt: skip
SCHEMA = pa.schema(TYPES, metadata={"feature_names": "a,b"})


def written_by_arrow(columns: list[Any]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=SCHEMA))
    return sink.getvalue().to_pybytes()


def read(columns: list[list[str | None]]) -> list[list[str | None]]:
    """Text columns as Arrow reads them."""
    schema = pa.schema([(str(place), pa.string()) for place in range(len(columns))])
    rows = len(columns[0])
    with pa.ipc.open_stream(BatchStream(schema).encode(rows, texts(columns, rows), [])) as reader:
        batch = reader.read_next_batch()
    batch.validate(full=True)
    return [column.to_pylist() for column in batch.columns]


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 300])
def test_a_stream_is_byte_for_byte_the_one_that_arrow_writes(rows: int) -> None:
    ids = [f"t{row * 37}" for row in range(rows)]
    codes = [None if row % 3 == 0 else f"{row:04d}" for row in range(rows)]
    at = list(range(5, 5 + rows))
    score = np.linspace(0, 1, rows, dtype=np.float32)
    flag = np.arange(rows) % 2 == 0
    role = np.resize(np.array([0, 1], np.int8), rows)
    zeros: Any = pa.array([0] * rows, pa.int8())
    roles: Any = pa.array(role)
    columns = [
        *texts([ids, codes], rows), fixed(at, np.int64), fixed(score, np.float32), fixed(flag, np.bool_),
        per_row(4, np.int32, rows), per_row(0, np.int8, rows), per_row(role, np.int8, rows),
    ]  # fmt: skip
    assert BatchStream(SCHEMA).encode(rows, columns, [("w",), ("canary", "champion")]) == written_by_arrow(
        [
            pa.array(ids), pa.array(codes, pa.string()), pa.array(at), pa.array(score), pa.array(flag),
            pa.array([4] * rows, pa.int32()), pa.DictionaryArray.from_arrays(zeros, ["w"]),
            pa.DictionaryArray.from_arrays(roles, ["canary", "champion"]),
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    "columns",
    [
        [["c7", "c8"], ["Zoë", "\U0001f600"], ["5411", None], [None, None]],
        [["c\x007", "c8"], ["5411", None], ["", "\x00"]],
        [["", ""], [None, ""]],
        [[""]],
        [[None]],
        [[], []],
    ],
)
def test_texts_are_kept_whatever_they_are(columns: list[list[str | None]]) -> None:
    assert read(columns) == columns


def test_one_value_for_all_rows_reads_as_so_many() -> None:
    types: dict[str, pa.DataType] = {"yes": pa.bool_(), "no": pa.bool_(), "chance": pa.float32()}
    for rows in (0, 1, 8, 11):
        columns = [per_row(True, np.bool_, rows), per_row(False, np.bool_, rows), per_row(0.5, np.float32, rows)]
        with pa.ipc.open_stream(BatchStream(pa.schema(types)).encode(rows, columns, [])) as reader:
            found = reader.read_next_batch().to_pydict()
        assert found == {"yes": [True] * rows, "no": [False] * rows, "chance": [0.5] * rows}


def test_columns_that_are_not_those_of_the_schema_are_refused() -> None:
    stream = BatchStream(pa.schema([("at", pa.int64())]))
    with pytest.raises(ValueError, match="column at has 2 rows, it must have 3"):
        stream.encode(3, [fixed([1, 2], np.int64)], [])
    with pytest.raises(struct.error):
        stream.encode(1, [Column((1, 0), (b"", bytes(8), b""))], [])
