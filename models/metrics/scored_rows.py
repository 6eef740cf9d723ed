"""What was scored on some days and what is known of it by a moment: the input of every metric and drift test."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.features.history import NO_LABEL

APPROVE, REVIEW, DECLINE = range(3)


class ScoredRowsError(FraudstreamError):
    """Raised when columns of scored rows do not fit together."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRows:
    """One row per transaction that counts by the reader's rule, in the order of (event_time, transaction_id).

    Attributes
    ----------
    event_time: int64[n] ms.
    transaction, card, terminal: uint64[n] `hash64` of the ids.
    amount_minor: int64[n] minor units of the reporting currency.
    score: float32[n] in 0 to 1.
    decision: uint8[n] APPROVE, REVIEW or DECLINE.
    control: bool[n] whether the score asked for a decline and the row was let pass at random.
    pass_probability: float32[n] chance with which the row was let pass: 1 where nothing would have stopped it, the
        control group's rate where it was drawn or could have been; 0 where it could not pass.
    values: float32[n, F] feature values as used; a reader may leave them out as [n, 0].
    is_fraud: bool[n] what the deciding statement known by `as_of` says; False without one.
    stated_at: int64[n] ms at which that statement was made, NO_LABEL (-1) without one.
    label_source: uint8[n] place of its source in `typing.get_args(LabelSource)` plus 1, 0 without one.
    latency_ms: float32[n] from the transaction's Kafka timestamp to `scored_at`, NaN where not known.
    model_version: the version that decided; all rows of one object share it.
    as_of: event time up to which statements are known, ms.
    """

    event_time: npt.NDArray[np.int64]
    transaction: npt.NDArray[np.uint64]
    card: npt.NDArray[np.uint64]
    terminal: npt.NDArray[np.uint64]
    amount_minor: npt.NDArray[np.int64]
    score: npt.NDArray[np.float32]
    decision: npt.NDArray[np.uint8]
    control: npt.NDArray[np.bool_]
    pass_probability: npt.NDArray[np.float32]
    values: npt.NDArray[np.float32]
    is_fraud: npt.NDArray[np.bool_]
    stated_at: npt.NDArray[np.int64]
    label_source: npt.NDArray[np.uint8]
    latency_ms: npt.NDArray[np.float32]
    model_version: str
    as_of: int

    def __post_init__(self) -> None:
        """Refuse columns of unequal lengths."""
        lengths = {len(column) for column in self._columns().values()}
        if len(lengths) > 1:
            raise ScoredRowsError(f"scored rows have columns of lengths {sorted(lengths)}: give one entry per row")

    def __len__(self) -> int:
        """How many rows."""
        return len(self.event_time)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of everything that has one entry for each row."""
        return tuple(field.name for field in fields(self) if field.name not in {"model_version", "as_of"})

    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        return {name: getattr(self, name) for name in self.column_names}

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "ScoredRows":
        """Return the rows that an array of positions or a mask picks."""
        taken: dict[str, Any] = {name: column[rows] for name, column in self._columns().items()}
        return ScoredRows(**taken, model_version=self.model_version, as_of=self.as_of)

    @property
    def stated(self) -> npt.NDArray[np.bool_]:
        """Whether somebody has made a statement about the row, bool[n]."""
        return np.asarray(self.stated_at != NO_LABEL)

    def known(self, maturity_ms: int) -> npt.NDArray[np.bool_]:
        """Whether it is known what each row was, bool[n].

        Stated rows are; an approved or reviewed one without a statement counts as genuine once it is `maturity_ms` old
        and never before; a declined one has no label unless somebody states it.
        """
        mature = self.event_time <= self.as_of - maturity_ms
        return np.asarray(self.stated | (mature & (self.decision != DECLINE)))
