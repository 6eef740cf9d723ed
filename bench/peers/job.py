"""What every peer does with transactions: features, model, reasons, score records and feature rows as the worker's.

The kernels, the model and the encoders are this project's. Left out, to the peers' advantage: terminal profiles as they
change, checkpoints, the exactly-once view, hot swap, dead letters, the control group, headers of the feature rows. The
model comes by file, from the bench.
"""

import os
import pickle
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.model_cache import LocalModelCache
from models.schema import wire
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.feature_batch import DECISIONS, FeatureBatchEncoder, ScoredColumns
from models.schema.money import default_reporting_currency
from models.schema.score import ReasonCode, Score
from models.schema.transaction import Transaction
from models.scorer import LoadedModel
from models.signing import AllowedSigners

ONE_BY_ONE: Final = 500
"""Feature rows that a peer gathers which gets one event at a time."""
Probability = Callable[[NDArray[np.float32]], NDArray[np.float32]]
CODES: Final = [name.upper() for name in DEFAULT.names]


class Output(NamedTuple):
    """What is to be sent for some transactions of one partition: key and value of each score, one feature message."""

    scores: list[tuple[bytes, bytes]]
    features: bytes | None


class _Rows(NamedTuple):
    """Feature rows that wait for more of their partition."""

    transactions: Sequence[Transaction]
    offsets: Sequence[int]
    probability: NDArray[np.float32]
    decision: NDArray[np.uint8]
    values: NDArray[np.float32]


class Job:
    """The work itself, and the card windows that it keeps in memory.

    Parameters
    ----------
    model: explains and decides.
    writer: the name on all output.
    probability: float32[n] of feature rows float32[n, F]; the model's own graph if not given.
    gather: fewest feature rows in a message. Whoever gets one event at a time gathers some: a message for each costs
        more than all the rest of the work. (The last ones wait for ever; nobody counts them.)
    """

    def __init__(
        self, model: LoadedModel, writer: str, probability: Probability | None = None, gather: int = 1
    ) -> None:
        self._model, self._writer, self._gather = model, writer, gather
        self._probability = probability or model.score
        self._cards, self._profiles = CardState(DEFAULT), ProfileTable(DEFAULT)
        self._currency = default_reporting_currency()
        self._encoder = FeatureBatchEncoder(DEFAULT.names)
        self._waiting: defaultdict[int, list[_Rows]] = defaultdict(list)

    @classmethod
    def handed_over(cls, writer: str, probability: Probability | None = None, gather: int = 1) -> "Job":
        """With the model in the folder that the environment names."""
        found = LocalModelCache(model_folder() / "model").last()
        assert found is not None
        model = LoadedModel.load(found[0], AllowedSigners.in_folder(model_folder() / "allowed-signers"))
        return cls(model, writer, probability, gather)

    def output(self, partition: int, offsets: Sequence[int], values: Sequence[bytes]) -> Output:
        """Score transactions of one partition, in offset order."""
        transactions, _, _ = decode_transactions(values, self._currency)
        columns = TransactionColumns.from_transactions(transactions, self._currency)
        rows, status = np.empty((len(columns), len(DEFAULT)), np.float32), np.zeros(len(columns), np.uint8)
        self._profiles.fill(columns, rows)
        self._cards.advance(columns, rows, status)
        probability = self._probability(rows)
        decision = self._model.decide(probability)
        reasons = self._reasons(rows, decision)
        scores = self._scores(transactions, offsets, probability, decision, status, reasons)
        waiting = self._waiting[partition]
        waiting.append(_Rows(transactions, offsets, probability, decision, rows))
        if sum(len(one.offsets) for one in waiting) < self._gather:
            return Output(scores, None)
        del self._waiting[partition]
        return Output(scores, self._features(waiting))

    def _reasons(self, rows: NDArray[np.float32], decision: NDArray[np.uint8]) -> dict[int, list[ReasonCode]]:
        flagged = np.flatnonzero(decision)
        if not len(flagged):
            return {}
        return {
            int(row): [ReasonCode(CODES[at], DEFAULT.names[at], float(rows[row, at]), added) for at, added in top]
            for row, top in zip(flagged, self._model.explain(rows[flagged]), strict=True)
        }

    def _scores(
        self,
        transactions: Sequence[Transaction],
        offsets: Sequence[int],
        probability: NDArray[np.float32],
        decision: NDArray[np.uint8],
        status: NDArray[np.uint8],
        reasons: dict[int, list[ReasonCode]],
    ) -> list[tuple[bytes, bytes]]:
        now_ms, version, none = time.time_ns() // 1_000_000, self._model.version, list[ReasonCode]()
        columns = zip(transactions, offsets, probability.tolist(), decision.tolist(), status.tolist(), strict=True)
        made = []
        for row, (t, offset, score, code, state) in enumerate(columns):
            record = Score(
                t.transaction_id, t.event_time, t.card_id, score, int(min(score * 1000, 999)), DECISIONS[code],
                reasons.get(row, none), version, DEFAULT.version, "champion", now_ms, False, bool(state & 1), offset, 0,
                self._writer,
            )  # fmt: skip
            made.append((t.card_id.encode(), wire.encode(record)))
        return made

    def _features(self, waiting: Sequence[_Rows]) -> bytes:
        transactions = [transaction for rows in waiting for transaction in rows.transactions]
        _, offsets, *arrays = zip(*waiting, strict=True)
        probability, decision, values = map(np.concatenate, arrays)
        scored = ScoredColumns(
            np.concatenate(offsets).astype(np.int64), probability, decision, values, self._writer, 0, "champion",
            self._model.version, 0, False, True,
        )  # fmt: skip
        return self._encoder.encode(transactions, scored)


def model_folder() -> Path:
    """Where the bench has laid the model."""
    return Path(os.environ["MODEL"])


def predict_proba() -> Probability:
    """Return the probability that the estimator gives, as a data scientist hands it over: pickled."""
    estimator: Any = pickle.loads((model_folder() / "estimator.pickle").read_bytes())

    def probability(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return estimator.predict_proba(rows)[:, 1].astype(np.float32)  # type: ignore[no-any-return]

    return probability
