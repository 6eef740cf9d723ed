"""What the gate judges by: rows that neither model was fitted on, with both models' scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.features.feature_set import DEFAULT
from models.gate.limits import GateError
from models.manifest import Thresholds

_TABLE = 2


class Scores(Protocol):
    """A model that scores rows; `models.scorer.LoadedModel` is one."""

    def score(self, values: npt.NDArray[np.float32], /) -> npt.NDArray[np.float32]:
        """Return the probability of fraud [n] for rows of features [n, F]."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class GateRows:
    """Rows whose labels are known and that neither side's fit has seen.

    Attributes
    ----------
    values: float32[n, F] feature values as used, NaN where unknown.
    is_fraud: bool[n].
    event_time: int64[n] ms.
    card: uint64[n].
    amount_minor: int64[n] minor units of the reporting currency.
    champion, candidate: float32[n] scores. The candidate's may be no numbers: that is found out by a check.
    champion_thresholds, candidate_thresholds: each model's own.
    weight: float64[n] how many rows each one stands for, above 0; None when each stands for itself.
    changed_at: event time of the incident's change, ms; None for a scheduled or asked for candidate.
    feature_names: F names of the columns.

    Raises
    ------
    GateError: no row, columns that do not fit together, or numbers that mean nothing.
    """

    values: npt.NDArray[np.float32]
    is_fraud: npt.NDArray[np.bool_]
    event_time: npt.NDArray[np.int64]
    card: npt.NDArray[np.uint64]
    amount_minor: npt.NDArray[np.int64]
    champion: npt.NDArray[np.float32]
    candidate: npt.NDArray[np.float32]
    champion_thresholds: Thresholds
    candidate_thresholds: Thresholds
    weight: npt.NDArray[np.float64] | None = None
    changed_at: int | None = None
    feature_names: Sequence[str] = DEFAULT.names

    def __post_init__(self) -> None:
        """Refuse what cannot be judged."""
        columns = (self.values, self.is_fraud, self.event_time, self.card, self.amount_minor, self.champion)
        weights = () if self.weight is None else (self.weight,)
        lengths = {len(column) for column in (*columns, self.candidate, *weights)}
        if len(lengths) > 1:
            raise GateError(f"gate rows have columns of lengths {sorted(lengths)}: give one entry per row")
        if not len(self):
            raise GateError("no rows to judge a candidate on: hold some out of both fits")
        if self.values.ndim != _TABLE or self.values.shape[1] != len(self.feature_names):
            raise GateError(f"gate rows of shape {self.values.shape} do not have {len(self.feature_names)} features")
        strange = int(np.sum(~np.isfinite(self.champion)))
        if strange:
            raise GateError(f"{strange} scores of the champion are not finite: leave those rows out")
        if self.weight is not None and not np.all((self.weight > 0) & np.isfinite(self.weight)):
            raise GateError("weights of gate rows must be finite and above 0: leave declined rows out")

    def __len__(self) -> int:
        """How many rows."""
        return len(self.is_fraud)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "GateRows":
        """Return the rows that a mask bool[n] picks, one at least."""
        columns = ("values", "is_fraud", "event_time", "card", "amount_minor", "champion", "candidate")
        taken: dict[str, Any] = {name: getattr(self, name)[chosen] for name in columns}
        return replace(self, **taken, weight=None if self.weight is None else self.weight[chosen])

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """How many rows each one stands for, float64[n]."""
        return np.ones(len(self)) if self.weight is None else self.weight

    @property
    def since_change(self) -> npt.NDArray[np.bool_]:
        """Rows from the incident's change on, bool[n]; none without an incident."""
        if self.changed_at is None:
            return np.zeros(len(self), np.bool_)
        return np.asarray(self.event_time >= self.changed_at)
