"""The reader's rule over feature rows: each transaction is counted once, whatever was sent again."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError

_OFFSET_BITS = 46
"""An epoch and an offset share one int64: 7e13 records and 131,072 epochs a partition."""


class UnknownPartitionError(FraudstreamError):
    """Raised when a record comes from a partition that was not there at the start."""


class SourcePositions:
    """How far each partition of `transactions` has been counted, by (epoch, offset).

    A row counts when its (epoch, source offset) is above the last one counted in its partition: scores and rows that
    were sent again after a crash fall out, rows that were computed again fill the gap they were meant for.

    Parameters
    ----------
    partitions: number of partitions of `transactions`.
    """

    def __init__(self, partitions: int) -> None:
        self._counted = np.full(partitions, -1, np.int64)
        self._scanned = np.zeros((partitions, 2), np.int64)

    def new_rows(self, partition: int, epoch: int, source_offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which rows of a batch count; takes note of them."""
        self._check(partition)
        if not len(source_offsets):
            return np.zeros(0, np.bool_)
        keys = (np.int64(epoch) << _OFFSET_BITS) + source_offsets
        highest = np.maximum.accumulate(np.concatenate(([self._counted[partition]], keys)))
        self._counted[partition] = highest[-1]
        return np.asarray(keys > highest[:-1])

    def scan(self, partition: int, epoch: int, last_offset: int) -> None:
        """Take note that everything up to an offset has been looked at, gaps and rejected records included."""
        self._check(partition)
        position = (epoch, last_offset + 1)
        if position > tuple(self._scanned[partition].tolist()):
            self._scanned[partition] = position

    def next_offsets(self) -> dict[int, int]:
        """Next offset of each partition of `transactions`, in its present epoch."""
        return dict(enumerate(self._scanned[:, 1].tolist()))

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """State as arrays."""
        return {"counted": self._counted.copy(), "scanned": self._scanned.copy()}

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on from a snapshot."""
        self._counted = np.array(arrays["counted"], np.int64)
        self._scanned = np.array(arrays["scanned"], np.int64)

    def _check(self, partition: int) -> None:
        if partition >= len(self._counted):
            raise UnknownPartitionError(
                f"partition {partition} of features is new (there were {len(self._counted)} at the start): "
                "start `fraudstream watch` again"
            )
