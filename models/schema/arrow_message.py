"""The metadata of an Arrow message: what it says of its buffers, and where.

References
----------
Apache Arrow, format/Message.fbs; the layout is FlatBuffers'.
"""

import struct
from typing import Final, NamedTuple

import pyarrow as pa

_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3
_DICTIONARY_DATA: Final = 1
_ROWS, _NODES, _BUFFERS, _COMPRESSION = 0, 1, 2, 3
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3


class RecordBatchPlaces(NamedTuple):
    """Where the metadata of a record batch has its numbers, all of them int64.

    Attributes
    ----------
    body_length, rows: places of one number each.
    nodes: place of the first of node_count pairs of length and number of nulls.
    buffers: place of the first of buffer_count pairs of offset and length.
    """

    body_length: int
    rows: int
    nodes: int
    node_count: int
    buffers: int
    buffer_count: int


def record_batch_places(metadata: bytes) -> RecordBatchPlaces:
    """Find them in the metadata of a record batch that has rows; FlatBuffers leaves out what is 0."""
    (message,) = struct.unpack_from("<I", metadata, 0)
    batch = _follow(metadata, _field(metadata, message, _HEADER))
    nodes = _follow(metadata, _field(metadata, batch, _NODES))
    buffers = _follow(metadata, _field(metadata, batch, _BUFFERS))
    (node_count,) = struct.unpack_from("<I", metadata, nodes)
    (buffer_count,) = struct.unpack_from("<I", metadata, buffers)
    body_length, rows = _field(metadata, message, _BODY_LENGTH), _field(metadata, batch, _ROWS)
    return RecordBatchPlaces(body_length, rows, nodes + 4, node_count, buffers + 4, buffer_count)


def refuse_compressed(stream: bytes) -> None:
    """Raise ValueError when a message of an IPC stream has compressed buffers: a kilobyte may unfold to gigabytes.

    It is looked at before Arrow makes room for what they unfold to.
    """
    try:
        for message in pa.ipc.MessageReader.open_stream(stream):
            if _is_compressed(message.metadata.to_pybytes()):
                raise ValueError("its buffers are compressed; only plain ones are read")
    except struct.error as error:
        raise ValueError(f"its metadata is cut short ({error})") from None


def _is_compressed(metadata: bytes) -> bool:
    (message,) = struct.unpack_from("<I", metadata, 0)
    header_type = _field(metadata, message, _HEADER_TYPE)
    kind = metadata[header_type] if header_type else 0
    if kind not in {_DICTIONARY_BATCH, _RECORD_BATCH}:
        return False
    batch = _follow(metadata, _field(metadata, message, _HEADER))
    if kind == _DICTIONARY_BATCH:
        batch = _follow(metadata, _field(metadata, batch, _DICTIONARY_DATA))
    return _field(metadata, batch, _COMPRESSION) != 0


def _field(metadata: bytes, table: int, slot: int) -> int:
    """Place of a table's field, 0 when it is absent."""
    (back,) = struct.unpack_from("<i", metadata, table)
    (size,) = struct.unpack_from("<H", metadata, table - back)
    at = 4 + 2 * slot
    if at >= size:
        return 0
    (offset,) = struct.unpack_from("<H", metadata, table - back + at)
    return table + int(offset) if offset else 0


def _follow(metadata: bytes, place: int) -> int:
    """Place of what an offset points to."""
    (offset,) = struct.unpack_from("<I", metadata, place)
    return place + int(offset)
