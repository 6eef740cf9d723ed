"""A lane with a past, and scored batches for those who measure what comes behind the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.workload import Workload, train_model
from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.feature_batch import ScoredColumns
from models.schema.money import default_reporting_currency
from models.schema.transaction import Transaction
from models.schema.transaction_fields import TransactionFields
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.scoring.lane import Lane, LaneIdentity, LaneStart
from stream_app.scoring.record_batch import RecordBatch

CURRENCY: Final = default_reporting_currency()


def trained_model(folder: Path) -> LoadedModel:
    """The model of the benches, loaded."""
    return LoadedModel.load(train_model(folder)[0], AllowedSigners.in_folder(folder / "allowed-signers"))


def fresh_lane() -> Lane:
    """The lane of a partition that is the only one, from its beginning."""
    return Lane(LaneIdentity(0, 1, "bench-topic-id", 0, "bench-writer"), LaneStart(0, 0), CardState(DEFAULT))


def record_batches(events: int, size: int) -> list[RecordBatch]:
    """Simulated transactions as one partition's polls bring them."""
    messages = Workload.simulated(events).messages
    return [
        RecordBatch(
            0,
            0,
            np.arange(at, min(at + size, events)),
            [key for key, _ in messages[at : at + size]],
            [value for _, value in messages[at : at + size]],
        )
        for at in range(0, events, size)
    ]


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """One batch and all that is known of it.

    Attributes
    ----------
    transactions, taken: [n] as decoded, and their fields.
    values: float32[n, F] feature rows.
    columns: what scoring adds.
    """

    transactions: Sequence[Transaction]
    taken: TransactionFields
    values: NDArray[np.float32]
    columns: ScoredColumns

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.transactions)


def scored_batches(model: LoadedModel, events: int, size: int) -> list[ScoredBatch]:
    """Score simulated transactions batch by batch."""
    lane, profiles, batches = fresh_lane(), ProfileTable(DEFAULT), []
    for batch in record_batches(events, size):
        transactions, _, _ = decode_transactions(batch.values, CURRENCY)
        taken = TransactionFields.of(transactions)
        columns = TransactionColumns.from_fields(taken, CURRENCY)
        values = np.empty((len(columns), len(DEFAULT)), np.float32)
        profiles.fill(columns, values)
        lane.advance(columns, values)
        score = model.score(values)
        scored = ScoredColumns(
            batch.offsets, score, model.decide(score), values, "bench-writer", 0, "champion", model.version, 0,
            recomputed=False, verified=True,
        )  # fmt: skip
        batches.append(ScoredBatch(transactions, taken, values, scored))
    return batches
