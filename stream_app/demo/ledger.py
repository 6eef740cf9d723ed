"""What a reader saw: every transaction with its time, every score with the moment it came; knows nothing of Kafka."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from models.schema.hashing import hash64_column
from stream_app.demo.journal import Journal, Rows
from stream_app.scores_reader import LastSeen

TRANSACTION_ROW = np.dtype([("offset", np.int64), ("id", np.uint64), ("sent_at", np.int64)])
SCORE_ROW = np.dtype(
    [
        ("source_offset", np.int64),
        ("id", np.uint64),
        ("received_at", np.float64),
        ("model", np.int16),
        ("flagged", np.bool_),
        ("canary", np.bool_),
    ]
)


class SeenTransaction(msgspec.Struct, frozen=True, gc=False):
    """The field of a transaction that is counted by."""

    transaction_id: str


class SeenScore(msgspec.Struct, frozen=True, gc=False):
    """The fields of a score that are counted; the worker has validated the rest."""

    transaction_id: str
    decision: str
    score: float
    model_version: str
    source_offset: int
    epoch: int
    role: str = "champion"

    @property
    def flagged(self) -> bool:
        """Whether somebody is to look at it, or it was declined."""
        return self.decision != "approve"


class Flagged(NamedTuple):
    """A score that flags its transaction: the whole record, and where its transaction is."""

    partition: int
    source_offset: int
    score: float
    value: bytes


class Ledger:
    """Rows by partition, in the order of their topic.

    Attributes
    ----------
    transactions, scores
        One journal per partition; of scores those that the reader's rule lets through.
    repetitions
        Scores that the rule dropped.
    versions
        Model versions; rows of scores hold their place here.
    """

    def __init__(self, partitions: int) -> None:
        self.transactions = [Journal(TRANSACTION_ROW) for _ in range(partitions)]
        self.scores = [Journal(SCORE_ROW) for _ in range(partitions)]
        self.repetitions = 0
        self.versions: list[str] = []
        self._last_seen = LastSeen()

    @property
    def transactions_seen(self) -> int:
        """How many transactions were read."""
        return sum(map(len, self.transactions))

    @property
    def scores_seen(self) -> int:
        """How many scores were read and let through."""
        return sum(map(len, self.scores))

    def add_transactions(
        self, partition: int, offsets: Sequence[int], sent_at: Sequence[int], transactions: Sequence[SeenTransaction]
    ) -> None:
        """Take transactions in, with the timestamps (ms) of their records."""
        ids = hash64_column([one.transaction_id for one in transactions])
        self.transactions[partition].extend({"offset": offsets, "id": ids, "sent_at": sent_at})

    def add_scores(self, partition: int, scores: Sequence[SeenScore], received_at: float) -> None:
        """Take scores in that came at a moment (ms)."""
        new = [one for one in scores if self._last_seen.is_new(partition, one.epoch, one.source_offset)]
        self.repetitions += len(scores) - len(new)
        if new:
            self.scores[partition].extend(
                {
                    "source_offset": [one.source_offset for one in new],
                    "id": hash64_column([one.transaction_id for one in new]),
                    "received_at": received_at,
                    "model": [self._number(one.model_version) for one in new],
                    "flagged": [one.flagged for one in new],
                    "canary": [one.role == "canary" for one in new],
                }
            )

    def pairs(self) -> list[tuple[Rows, Rows]]:
        """Return the transactions and the scores of each partition."""
        return [(sent.rows, scored.rows) for sent, scored in zip(self.transactions, self.scores, strict=True)]

    def decided_by(self, version: str) -> int:
        """Return how many transactions a model decided on."""
        if version not in self.versions:
            return 0
        number = self.versions.index(version)
        return sum(int((scored.rows["model"] == number).sum()) for scored in self.scores)

    def _number(self, version: str) -> int:
        if version not in self.versions:
            self.versions.append(version)
        return self.versions.index(version)
