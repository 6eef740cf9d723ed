"""What an Arrow stream says of its buffers, looked at before Arrow makes room for what they unfold to."""

import struct
from typing import Final

import pyarrow as pa

_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY_DATA: Final = 1
_COMPRESSION: Final = 3
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3


def refuse_compressed(stream: bytes) -> None:
    """Raise ValueError when a message of an IPC stream has compressed buffers: a kilobyte may unfold to gigabytes.

    References
    ----------
    Apache Arrow, format/Message.fbs: `RecordBatch.compression`, `DictionaryBatch.data`; the layout is FlatBuffers'.
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
