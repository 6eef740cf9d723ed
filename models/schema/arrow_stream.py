"""Arrow IPC streams of one record batch each: what is the same in all of them is written by Arrow, once."""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import pyarrow as pa

from models.schema.arrow_columns import Column
from models.schema.arrow_message import record_batch_places

Names = tuple[str, ...]
_PREFIX_BYTES: Final = 8
"""Of a message: a continuation marker, and how long its metadata is."""
_ALIGNMENT: Final = 8
_PADDING: Final = [bytes(count) for count in range(_ALIGNMENT)]
_END: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""End-of-stream marker."""
_MOST_OPENINGS: Final = 16


class BatchStream:
    """Writes streams of one schema.

    A stream is the schema, the dictionaries and a record batch, one message after the other. The first two are kept
    as bytes. Of the third's metadata only numbers change, whose number and places follow from the schema: those of an
    example are written over. To have Arrow write all of it takes three times as long for a small batch.

    Parameters
    ----------
    schema: its dictionaries are of text, with codes of int8.

    References
    ----------
    Apache Arrow, Columnar format: IPC streaming format, encapsulated messages.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._opening = lru_cache(_MOST_OPENINGS)(self._written_opening)
        # Of a dictionary column a record batch holds the codes alone.
        plain = pa.schema([one.with_type(pa.int8()) if _is_dictionary(one) else one for one in schema])
        example = pa.RecordBatch.from_arrays([pa.nulls(1, one.type) for one in plain], schema=plain).serialize()
        (metadata_bytes,) = struct.unpack_from("<i", example, _PREFIX_BYTES // 2)
        self._head = example.to_pybytes()[: _PREFIX_BYTES + metadata_bytes]
        self._places = record_batch_places(self._head[_PREFIX_BYTES:])
        self._nodes = struct.Struct(f"<{2 * self._places.node_count}q")
        self._regions = struct.Struct(f"<{2 * self._places.buffer_count}q")

    def encode(self, rows: int, columns: Sequence[Column], names: Sequence[Names]) -> bytes:
        """One stream.

        Parameters
        ----------
        rows: how many there are in each column.
        columns: in the order of the schema, of each dictionary column its codes.
        names: of each dictionary column the texts that its codes stand for.

        Raises
        ------
        ValueError: when a column has another number of rows.
        struct.error: when the columns have other nodes or buffers than those of the schema.
        """
        for place, column in enumerate(columns):
            if column.nodes[0] != rows:
                name = self._schema.field(place).name
                raise ValueError(f"column {name} has {column.nodes[0]} rows, it must have {rows}")
        nodes: list[int] = []
        regions: list[int] = []
        body: list[bytes] = []
        at = 0
        for column in columns:
            nodes += column.nodes
            for buffer in column.buffers:
                size = len(buffer)
                padding = -size % _ALIGNMENT
                regions += (at, size)
                body += (buffer, _PADDING[padding])
                at += size + padding
        head, places = bytearray(self._head), self._places
        struct.pack_into("<q", head, _PREFIX_BYTES + places.body_length, at)
        struct.pack_into("<q", head, _PREFIX_BYTES + places.rows, rows)
        self._nodes.pack_into(head, _PREFIX_BYTES + places.nodes, *nodes)
        self._regions.pack_into(head, _PREFIX_BYTES + places.buffers, *regions)
        return b"".join((self._opening(*names), head, *body, _END))

    def _written_opening(self, *names: Names) -> bytes:
        dictionaries = iter(names)
        columns = [
            pa.DictionaryArray.from_arrays(pa.array([], pa.int8()), pa.array(next(dictionaries), pa.string()))
            if _is_dictionary(one)
            else pa.array([], one.type)
            for one in self._schema
        ]
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._schema) as writer:
            writer.write_batch(batch)
        return sink.getvalue().to_pybytes()[: -batch.serialize().size - len(_END)]


def _is_dictionary(field: "pa.Field[pa.DataType]") -> bool:
    return pa.types.is_dictionary(field.type)
