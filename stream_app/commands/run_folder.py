"""The folder of a run that starts everything itself and counts from nothing."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import FraudstreamError


class DataFolderError(FraudstreamError):
    """Raised when the folder for a run's data holds something already."""


@contextmanager
def run_folder(data: Path | None, what: str) -> Iterator[Path]:
    """Return the given folder, which has to be empty, or a temporary one.

    Parameters
    ----------
    data: what `--data` says.
    what: the run, in one word, such as "demo".
    """
    if data is None:
        with tempfile.TemporaryDirectory(prefix=f"fraudstream-{what}-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    if data.exists() and any(data.iterdir()):
        raise DataFolderError(f"the folder {data} is not empty: a run counts from nothing; give a new one with --data")
    yield data.absolute()
