"""Records that were scored before: they go into the windows, and feature rows that a crash kept back come out."""

import contextlib

import numpy as np
from numpy.typing import NDArray

from models.features.profile_table import ProfileTable
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.feature_batch import DECISIONS, ScoredColumns
from models.schema.money import ReportingCurrency
from models.schema.transaction_fields import TransactionFields
from models.scorer import ScoringError
from stream_app.scoring.feature_buffer import LoggedRows
from stream_app.scoring.lane import Lane
from stream_app.scoring.record_batch import RecordBatch


def replay(lane: Lane, batch: RecordBatch, profiles: ProfileTable, currency: ReportingCurrency) -> LoggedRows | None:
    """Advance a lane's windows over records below its output.

    Returns
    -------
    The feature rows of those that are missing among `features`, None where there are none.
    """
    transactions, indices, _ = decode_transactions(batch.values, currency)
    if not transactions:
        return None
    columns = TransactionColumns.from_fields(TransactionFields.of(transactions), currency)
    offsets = batch.offsets[indices]
    rows = [row for row, offset in enumerate(offsets.tolist()) if offset in lane.start.missing]
    if not rows:
        lane.advance(columns, None)
        return None
    values = np.empty((len(columns), len(profiles.feature_set)), np.float32)
    profiles.fill(columns, values)
    lane.advance(columns, values)
    recomputed = TransactionFields.of([transactions[row] for row in rows])
    return _recomputed(lane, recomputed, offsets[rows], values[rows], profiles.as_of)


def _recomputed(
    lane: Lane, taken: TransactionFields, offsets: NDArray[np.int64], values: NDArray[np.float32], as_of: int
) -> LoggedRows:
    """Feature rows that a crash kept from `features`, each proved by its score coming out equal."""
    published = [lane.start.missing[int(offset)] for offset in offsets]
    versions = [entry.model_version for entry in published]
    expected = np.array([entry.score for entry in published], np.float32)
    score = np.full(len(published), np.nan, np.float32)
    for version, model in lane.start.models.items():
        mine = [row for row, name in enumerate(versions) if name == version]
        if mine:
            # Other profiles than at first may lead a model to what is no number: such a row is not verified.
            with contextlib.suppress(ScoringError):
                score[mine] = model.score(values[mine])
    decision = np.array([DECISIONS.index(entry.decision) for entry in published], np.uint8)
    chance = np.array([entry.pass_probability for entry in published], np.float32)
    columns = ScoredColumns(
        source_offset=offsets,
        score=expected,
        decision=decision,
        values=values,
        writer="",
        epoch=0,
        role=[entry.role for entry in published],
        model_version=versions,
        profiles_as_of=as_of,
        recomputed=True,
        verified=score == expected,
        control=(decision == DECISIONS.index("approve")) & (chance < 1.0),
        pass_probability=chance,
    )
    return LoggedRows(taken, columns, int(offsets[0]), int(offsets[-1]), {})
