"""A labelled table in the order of its time column, ready for the drift battery."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError

UNKNOWN_CLASS = -1


class TableError(FraudstreamError):
    """Raised when a table cannot be watched."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledTable:
    """One row per row of the file, sorted by time.

    Attributes
    ----------
    names: [F] of the features.
    values: float32[n, F], NaN where unknown; texts as their place in `texts`.
    texts: the distinct texts of each feature that holds texts.
    label: int64[n] place of the row's label in `classes`, UNKNOWN_CLASS without one.
    classes: labels, sorted.
    score: float32[n] given chance of the last of two classes; None where a model is to be fitted.
    cluster: uint64[n] rows of one cluster count as one observation; None where every row stands for itself.
    time_ms: int64[n] ms, where the time column holds moments; None where it holds mere numbers.
    notes: what was left out and why, for a person.
    """

    names: list[str]
    values: npt.NDArray[np.float32]
    texts: dict[str, list[str]]
    label: npt.NDArray[np.int64]
    classes: list[str]
    score: npt.NDArray[np.float32] | None = None
    cluster: npt.NDArray[np.uint64] | None = None
    time_ms: npt.NDArray[np.int64] | None = None
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """How many rows."""
        return len(self.label)
