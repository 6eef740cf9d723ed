"""A history to compute features for: transactions in the order in which they came, their labels and declines."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.schema.columns import TransactionColumns

NO_LABEL = -1
"""In `labelled_at`: nobody made a statement."""


class HistoryError(FraudstreamError):
    """Raised when the columns of a history do not have one length."""


@dataclass(frozen=True, slots=True)
class History:
    """Transactions and what became known about them.

    Attributes
    ----------
    columns: [n] transactions, in the order in which they came.
    is_fraud: bool[n] what the label says; read only where there is one.
    labelled_at: int64[n] ms at which the label was made, -1 without a label.
    declined: bool[n] decision; None means that all were approved.
    """

    columns: TransactionColumns
    is_fraud: npt.NDArray[np.bool_]
    labelled_at: npt.NDArray[np.int64]
    declined: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Refuse columns of unequal lengths."""
        declined = self.is_fraud if self.declined is None else self.declined
        lengths = {len(self.columns), len(self.is_fraud), len(self.labelled_at), len(declined)}
        if len(lengths) > 1:
            raise HistoryError(
                f"a history's columns have lengths {sorted(lengths)}: give one row per transaction in each"
            )

    def __len__(self) -> int:
        """Return the number of transactions."""
        return len(self.columns)
