"""What a worker under test has published, read as a consumer reads it, and what it should have published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Message

from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.schema import wire
from models.schema.columns import TransactionColumns
from models.schema.dead_letter import DeadLetter
from models.schema.feature_batch import FeatureBatchHeader, FeatureRows, decode_feature_batch
from models.schema.money import default_reporting_currency
from models.schema.score import Score
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from stream_app.scores_reader import LastSeen
from tests.support.topic_recorder import TopicRecorder

Place = tuple[int, int, int]
"""Partition, epoch and source offset."""


@dataclass(frozen=True)
class FeatureRow:
    """One row of the feature log."""

    transaction_id: str
    writer: str
    recomputed: bool
    verified: bool
    values: np.ndarray


class ScoredOutput:
    """Records `scores`, `features` and `dead-letter` of one set of topics."""

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self.scores = TopicRecorder(broker, topics.scores)
        self.features = TopicRecorder(broker, topics.features)
        self.dead_letters = TopicRecorder(broker, topics.dead_letter)
        self._last = LastSeen()
        self._kept: dict[Place, Score] = {}
        self._taken: dict[int, int] = {}

    def close(self) -> None:
        """Disconnect."""
        for recorder in (self.scores, self.features, self.dead_letters):
            recorder.close()

    @property
    def raw(self) -> int:
        """Records in `scores`, repetitions included."""
        return sum(map(len, self.scores.records.values()))

    def kept(self) -> dict[Place, Score]:
        """Scores by the reader's rule, in each partition's order."""
        for partition, records in self.scores.records.items():
            for record in records[self._taken.get(partition, 0) :]:
                score = wire.decode(Score, record.value() or b"")
                if self._last.is_new(partition, score.epoch, score.source_offset):
                    self._kept[partition, score.epoch, score.source_offset] = score
            self._taken[partition] = len(records)
        return self._kept

    def rows(self) -> dict[Place, list[FeatureRow]]:
        """Every feature row there is, by the transaction it belongs to."""
        self.features.read_to_end()
        rows: dict[Place, list[FeatureRow]] = {}
        for partition, records in self.features.records.items():
            for record in records:
                batch = decode_feature_batch(record.value() or b"")
                places = zip(batch.numpy("source_offset").tolist(), batch.numpy("epoch").tolist(), strict=True)
                for (offset, epoch), row in zip(places, _feature_rows(batch), strict=True):
                    rows.setdefault((partition, epoch, offset), []).append(row)
        return rows

    def counted_rows(self) -> dict[Place, FeatureRow]:
        """The row that counts for each kept score: its own writer's, else the recomputed one."""
        rows = self.rows()
        counted = {}
        for place, score in self.kept().items():
            found = rows.get(place, [])
            own = [row for row in found if row.writer == score.writer and not row.recomputed]
            again = [row for row in found if row.recomputed]
            if own or again:
                counted[place] = (own or again)[0]
        return counted

    def covered(self) -> dict[int, list[tuple[int, int]]]:
        """The offset ranges that the feature messages say they cover, by partition."""
        self.features.read_to_end()
        return {
            partition: [_range(record) for record in records] for partition, records in self.features.records.items()
        }

    def buried(self) -> list[DeadLetter]:
        """The dead letters."""
        self.dead_letters.read_to_end()
        return [
            DeadLetter.read(record.key(), record.value(), record.headers() or ())  # type: ignore[arg-type]  # a list, as read
            for records in self.dead_letters.records.values()
            for record in records
        ]


def _feature_rows(batch: FeatureRows) -> Iterator[FeatureRow]:
    return map(
        FeatureRow,
        batch.strings("transaction_id"),
        batch.strings("writer"),
        batch.numpy("recomputed").tolist(),
        batch.numpy("verified").tolist(),
        batch.values,
    )


def _range(record: Message) -> tuple[int, int]:
    header = FeatureBatchHeader.decode(record.headers() or ())  # type: ignore[arg-type]  # bytes, as written
    return header.first_offset, header.last_offset


def undisturbed(transactions: Sequence[Transaction]) -> tuple[np.ndarray, np.ndarray]:
    """Feature values and status bits of one partition's transactions, computed offline in one go."""
    columns = TransactionColumns.from_transactions(list(transactions), default_reporting_currency())
    values = np.empty((len(columns), len(DEFAULT)), np.float32)
    status = np.zeros(len(columns), np.uint8)
    ProfileTable(DEFAULT).fill(columns, values)
    CardState(DEFAULT).advance(columns, values, status)
    return values, status
