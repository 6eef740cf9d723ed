"""Opens a folder on a local disk or an object store, for what is kept outside Kafka and Redis."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import fs

from models.errors import FraudstreamError


@dataclass(frozen=True, slots=True)
class Storage:
    """An open folder.

    Attributes
    ----------
    files: pyarrow's file system.
    root: the folder's path in it.
    renames: whether what is written under another name can be moved to its own; an object store has no need of it,
        because an object exists only once its upload has ended.
    """

    files: Any
    root: str
    renames: bool


def open_storage(url: str, what: str, failure: type[FraudstreamError]) -> Storage:
    """Open a folder, made if it is not there.

    Parameters
    ----------
    url: a folder's path, or a URL that pyarrow knows (`s3://bucket/prefix`, `gs://…`).
    what: what errors call the storage.
    failure: raised when the folder cannot be made or the URL names no known store.
    """
    try:
        if "://" in url:
            files, root = fs.FileSystem.from_uri(url)
        else:
            files, root = fs.LocalFileSystem(), str(Path(url).absolute())
        files.create_dir(root, recursive=True)
    except (OSError, ValueError) as error:
        raise failure(f"{what} {url!r} cannot be used: {error}; give a folder or URL that can be written") from error
    return Storage(files, root, isinstance(files, (fs.LocalFileSystem, fs.SubTreeFileSystem)))
