"""Every model as plain files outside Redis: what a registry is rebuilt from."""

import contextlib
import os
from typing import Final

from pyarrow import fs

from models.bundle import Bundle
from models.errors import FraudstreamError
from stream_app.object_storage import open_storage

FOLDER: Final = "models"
"""Folder of the models inside the archive, beside its tables."""
_PARTS: Final = {"manifest_bytes": "manifest.json", "onnx": "model.onnx", "signer": "signer", "signature": "signature"}
_LAST: Final = "signature"
"""Written last: a folder that has it is whole."""


class ModelStoreError(FraudstreamError):
    """Raised when the storage cannot be used, or a model in it is not whole."""


class ModelStore:
    """A folder with one sub-folder for each version: manifest, graph, signer and signature as they are signed.

    Nothing is ever replaced: a version is the hash of its content.

    Parameters
    ----------
    url: a folder's path, or a URL that pyarrow knows (`s3://bucket/prefix`, `gs://…`).

    Raises
    ------
    ModelStoreError: the folder cannot be made, or the URL names no known store.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        storage = open_storage(url, "model storage", ModelStoreError)
        self._fs, self._root, self._renames = storage.files, storage.root, storage.renames

    @classmethod
    def in_archive(cls, archive_url: str) -> "ModelStore":
        """Return the models beside the tables of an archive."""
        return cls(f"{archive_url.rstrip('/')}/{FOLDER}")

    def put(self, bundle: Bundle) -> bool:
        """Keep a bundle and return whether it was new; raises ModelStoreError when the storage refuses."""
        version = bundle.version
        try:
            if self._whole(version):
                return False
            self._write(version, bundle)
        except OSError as error:
            raise ModelStoreError(
                f"model {version} could not be written to {self.url!r}: {error}; free space or mend the storage"
            ) from error
        return True

    def get(self, version: str) -> Bundle:
        """Return a kept bundle, not yet verified; raises ModelStoreError when it is not there or not whole."""
        try:
            parts = {attribute: self._read(f"{version}/{name}") for attribute, name in _PARTS.items()}
        except OSError as error:
            raise ModelStoreError(f"model {version} in {self.url!r} is not whole: {error}") from error
        signer = parts["signer"].decode("ascii", "replace")
        return Bundle(parts["manifest_bytes"], parts["onnx"], parts["signature"], signer)

    def versions(self) -> list[str]:
        """Return the versions that are kept whole, sorted."""
        try:
            found = self._fs.get_file_info(fs.FileSelector(self._root, allow_not_found=True))
            names = [info.base_name for info in found if info.type == fs.FileType.Directory]
            return sorted(name for name in names if not name.startswith(".") and self._whole(name))
        except OSError as error:
            raise ModelStoreError(f"model storage {self.url!r} cannot be listed: {error}; mend the storage") from error

    def _whole(self, version: str) -> bool:
        found: bool = self._fs.get_file_info(f"{self._root}/{version}/{_LAST}").type == fs.FileType.File
        return found

    def _write(self, version: str, bundle: Bundle) -> None:
        folder = f"{self._root}/.{version}.{os.getpid()}" if self._renames else f"{self._root}/{version}"
        self._fs.create_dir(folder, recursive=True)
        for attribute, name in _PARTS.items():
            content = getattr(bundle, attribute)
            with self._fs.open_output_stream(f"{folder}/{name}") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
        if self._renames:
            with contextlib.suppress(OSError):
                self._fs.move(folder, f"{self._root}/{version}")
            if not self._whole(version):
                raise OSError(f"{folder} could not be renamed to {version}")

    def _read(self, name: str) -> bytes:
        with self._fs.open_input_file(f"{self._root}/{name}") as stream:
            content: bytes = stream.read()
        return content
