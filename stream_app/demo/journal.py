"""Rows of a fixed kind, appended in batches without copying all of them each time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]

_FIRST_ROOM = 1024


class Journal:
    """A structured array that grows.

    Examples
    --------
    >>> journal = Journal(np.dtype([("offset", np.int64)]))
    >>> journal.extend({"offset": [4, 5]})
    >>> journal.extend({"offset": [6]})
    >>> journal.rows["offset"].tolist()
    [4, 5, 6]
    """

    def __init__(self, kind: np.dtype[np.void]) -> None:
        self._rows: Rows = np.empty(_FIRST_ROOM, kind)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def rows(self) -> Rows:
        """All rows so far; a view."""
        return self._rows[: self._length]

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Append rows given by column; a single value stands for all rows."""
        count = max(np.size(column) for column in columns.values())
        end = self._length + count
        if end > len(self._rows):
            self._rows = np.resize(self._rows, max(end, 2 * len(self._rows)))
        for name, column in columns.items():
            self._rows[name][self._length : end] = column
        self._length = end
