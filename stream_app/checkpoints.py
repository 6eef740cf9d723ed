"""Checkpoints: named arrays with a header, written whole under a new name and proved by a checksum when read."""

import contextlib
import hashlib
import itertools
import logging
import math
import os
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyarrow import fs

from models.errors import FraudstreamError, one_line
from stream_app.object_storage import open_storage

log = logging.getLogger(__name__)

_MAGIC = b"FSCP0001"
_FAMILY = _MAGIC[:4]
_ALIGNMENT = 64
_DIGEST_BYTES = 32
_PLAIN_TYPE = re.compile(r"[<>|=]?[?biufV]\d{1,4}|[?]")
"""Numbers, truth values and padding; no objects, no text."""
_temporary_names = itertools.count()


class CheckpointError(FraudstreamError):
    """Raised when the storage cannot be used, or when a checkpoint is cut short, changed or of another format."""


class _ArraySpec(msgspec.Struct, frozen=True):
    name: str
    dtype: str | list[Any]
    shape: Annotated[tuple[Annotated[int, msgspec.Meta(ge=0)], ...], msgspec.Meta(max_length=32)]
    offset: Annotated[int, msgspec.Meta(ge=0)]


class _Preamble(msgspec.Struct, frozen=True):
    header: dict[str, Any]
    arrays: list[_ArraySpec]


class Checkpoint(msgspec.Struct, frozen=True):
    """What was read back: its name, the header as given, and the arrays."""

    name: str
    header: dict[str, Any]
    arrays: dict[str, Any]


class CheckpointStore:
    """A folder of checkpoints on a local disk or an object store, one sub-folder per kind.

    A checkpoint appears under its name only when it is complete: on a file system by a rename, on an object store
    because an object exists only once its upload has ended. A name is never written twice.

    Parameters
    ----------
    url:
        A folder's path, or a URL that pyarrow knows (``s3://bucket/prefix``, ``gs://...``).

    Raises
    ------
    CheckpointError
        When the folder cannot be made or the URL names no known store.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        storage = open_storage(url, "checkpoint storage", CheckpointError)
        self._fs, self._root, self._renames = storage.files, storage.root, storage.renames

    def write(self, kind: str, name: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> int:
        """Write one checkpoint whole and return its size in bytes; raises CheckpointError when the storage refuses."""
        chunks = list(_encoded(header, arrays))
        folder = f"{self._root}/{kind}"
        path = f"{folder}/{name}"
        target = f"{folder}/.{name}.{os.getpid()}.{next(_temporary_names)}" if self._renames else path
        try:
            self._fs.create_dir(folder, recursive=True)
            with self._fs.open_output_stream(target) as stream:
                for chunk in chunks:
                    stream.write(chunk)
            if self._renames:
                self._fs.move(target, path)
        except OSError as error:
            if self._renames:
                with contextlib.suppress(OSError):
                    self._fs.delete_file(target)
            raise CheckpointError(
                f"checkpoint {kind}/{name} could not be written to {self.url!r}: {error}; free space or mend the "
                f"storage"
            ) from error
        return sum(len(chunk) for chunk in chunks)

    def names(self, kind: str) -> list[str]:
        """Names of the complete checkpoints of one kind, sorted."""
        selector = fs.FileSelector(f"{self._root}/{kind}", allow_not_found=True)
        try:
            found = self._fs.get_file_info(selector)
        except OSError as error:
            raise CheckpointError(
                f"checkpoint storage {self.url!r} cannot be listed: {error}; mend the storage"
            ) from error
        return sorted(
            info.base_name for info in found if info.type == fs.FileType.File and not info.base_name.startswith(".")
        )

    def read(self, kind: str, name: str) -> Checkpoint:
        """Read one checkpoint; raises CheckpointError when its bytes are not those that were written."""
        try:
            with self._fs.open_input_file(f"{self._root}/{kind}/{name}") as stream:
                data = stream.read()
        except (OSError, ValueError) as error:
            raise CheckpointError(f"checkpoint {kind}/{name} cannot be read: {one_line(error)}") from error
        header, arrays = _decoded(data, f"{kind}/{name}")
        return Checkpoint(name, header, arrays)

    def newest(self, kind: str) -> Checkpoint | None:
        """The newest readable checkpoint by name, or None; one that is passed over is named in the log."""
        return next(self.readable(kind), None)

    def readable(self, kind: str) -> Iterator[Checkpoint]:
        """The readable checkpoints, the newest first; one that is passed over is named in the log with the reason."""
        for name in reversed(self.names(kind)):
            try:
                yield self.read(kind, name)
            except CheckpointError as error:
                log.warning("checkpoint passed over: %s", error)

    def kinds(self, folder: str) -> list[str]:
        """Names of the folders in a folder, sorted."""
        selector = fs.FileSelector(f"{self._root}/{folder}", allow_not_found=True)
        return sorted(info.base_name for info in self._fs.get_file_info(selector) if info.type == fs.FileType.Directory)

    def delete(self, kind: str, name: str) -> None:
        """Remove one checkpoint; one that is gone already is no error."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.delete_file(f"{self._root}/{kind}/{name}")


def _encoded(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> list[Any]:
    """Magic, preamble length, preamble, aligned arrays, BLAKE2b-256 over all that stands before it."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    specs, offset = [], 0
    for name, array in contiguous.items():
        dtype = array.dtype.descr if array.dtype.names else array.dtype.str
        specs.append(_ArraySpec(name, dtype, array.shape, offset))
        offset += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    preamble = msgspec.json.encode(_Preamble(dict(header), specs))
    preamble += b" " * (-(len(_MAGIC) + 8 + len(preamble)) % _ALIGNMENT)
    chunks: list[Any] = [_MAGIC + struct.pack("<Q", len(preamble)) + preamble]
    for array in contiguous.values():
        chunks.append(array.reshape(-1).view(np.uint8).data if array.size else b"")
        chunks.append(bytes(-array.nbytes % _ALIGNMENT))
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for chunk in chunks:
        digest.update(chunk)
    return [*chunks, digest.digest()]


def _decoded(data: bytes, where: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    start = len(_MAGIC) + 8
    if data[: len(_FAMILY)] == _FAMILY and len(data) >= start and data[: len(_MAGIC)] != _MAGIC:
        version = data[: len(_MAGIC)].decode("ascii", "replace")
        raise CheckpointError(f"checkpoint {where} is of format {version!r}; this release reads {_MAGIC.decode()}")
    if len(data) < start + _DIGEST_BYTES or data[: len(_MAGIC)] != _MAGIC:
        raise CheckpointError(f"checkpoint {where} is cut short or of another format ({len(data)} bytes)")
    body = memoryview(data)[:-_DIGEST_BYTES]
    if hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest() != data[-_DIGEST_BYTES:]:
        raise CheckpointError(f"checkpoint {where} does not match its checksum: cut short or changed")
    (length,) = struct.unpack_from("<Q", data, len(_MAGIC))
    try:
        preamble = msgspec.json.decode(body[start : start + length], type=_Preamble)
        arrays = {spec.name: _array(body[start + length :], spec) for spec in preamble.arrays}
    except (msgspec.MsgspecError, ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"checkpoint {where} was not written by this program: {one_line(error)}") from None
    return preamble.header, arrays


def _array(content: memoryview, spec: _ArraySpec) -> NDArray[Any]:
    """One array in this machine's byte order; ValueError when it claims what is not there, before it is allocated."""
    dtype = _dtype(spec.dtype)
    size = math.prod(spec.shape) * dtype.itemsize
    if not dtype.itemsize or spec.offset + size > len(content):
        raise ValueError(f"array {spec.name!r} claims {size} bytes at {spec.offset} of {len(content)}")
    array = np.frombuffer(content[spec.offset : spec.offset + size], dtype).reshape(spec.shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _dtype(described: str | list[Any]) -> np.dtype[Any]:
    types = [described] if isinstance(described, str) else [field[1] for field in described]
    if not all(isinstance(one, str) and _PLAIN_TYPE.fullmatch(one) for one in types):
        raise ValueError(f"a checkpoint holds numbers, not {str(types)[:80]}")
    # The padding of an aligned record is a field without a name; descr_to_dtype makes it padding again.
    return np.dtype(np.lib.format.descr_to_dtype(described))  # type: ignore[arg-type]  # typed without plain text
