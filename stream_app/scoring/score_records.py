"""Scores as the JSON records of the topic `scores`."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.schema import wire
from models.schema.feature_batch import DECISIONS
from models.schema.field_types import version_1
from models.schema.score import ReasonCode, Score
from models.schema.transaction_fields import TransactionFields
from stream_app.scoring.batch_scores import BatchScores, Name


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the n rows come from, and who scores them.

    Attributes
    ----------
    offset: int64[n] of `transactions`.
    epoch, writer: of each row's partition.
    """

    offset: NDArray[np.int64]
    epoch: Iterable[int]
    writer: Iterable[str]


def score_records(
    taken: TransactionFields,
    origin: Origin,
    said: BatchScores,
    decision: NDArray[np.uint8],
    reasons: Mapping[int, Sequence[ReasonCode]],
    degraded: NDArray[np.bool_],
    duplicate: NDArray[np.bool_],
    feature_set: str,
    now_ms: int,
) -> list[bytes]:
    """One record a row.

    Parameters
    ----------
    taken:
        Fields of the n transactions.
    origin:
        Of the rows.
    said:
        What the models say of them.
    decision:
        uint8[n] as published.
    reasons:
        Reason codes by row; a row that is not there has none.
    degraded, duplicate:
        bool[n].
    feature_set:
        Version of the features that were computed.
    now_ms:
        Wall clock, for `scored_at`.
    """
    scaled = np.minimum(said.score * 1000.0, 999.0).astype(np.int64)
    offsets, score, score_scaled, codes, bad, again = (
        column.tolist() for column in (origin.offset, said.score, scaled, decision, degraded, duplicate)
    )
    every, no_reasons = itertools.repeat, list[ReasonCode]()
    # By position, through `map`: a call by name in a loop costs as much again as the record.
    records = map(
        Score,
        taken.transaction_id, taken.event_time, taken.card_id, score, score_scaled, map(DECISIONS.__getitem__, codes),
        map(reasons.get, range(len(offsets)), every(no_reasons)), _each_row(said.model_version), every(feature_set),
        _each_row(said.role), every(now_ms), bad, again, offsets, origin.epoch, origin.writer, every(version_1()),
    )  # fmt: skip
    return list(map(wire.encode, records))


def _each_row(name: list[Name] | Name) -> Iterable[Name]:
    return name if isinstance(name, list) else itertools.repeat(name)
