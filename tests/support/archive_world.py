"""A small world for the archive: transactions, scores, feature rows and labels on real topics, and its process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from confluent_kafka import Message, Producer

from models.features.feature_set import DEFAULT
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.clock_tick import ClockTick
from models.schema.feature_batch import DECISIONS, FeatureBatchEncoder, FeatureBatchHeader, ScoredColumns
from models.schema.label import Label
from models.schema.score import ReasonCode, Score
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from tests.support.topic_recorder import TopicRecorder
from tests.support.worker_process import WorkerProcess, wait_until

PARTITIONS = 2
MODEL = "m-1"


@dataclass(frozen=True)
class Sent:
    """A transaction and where it lies."""

    transaction: Transaction
    partition: int
    offset: int


class ArchiveWorld:
    """Writes the archive's inputs as the bank and the scorer do."""

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self.broker, self.topics = broker, topics
        self.sent: list[Sent] = []
        self.ends = dict.fromkeys(range(PARTITIONS), 0)
        self.labels = dict.fromkeys(range(PARTITIONS), 0)
        self._producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
        self._encoder = FeatureBatchEncoder(DEFAULT.names)

    def close(self) -> None:
        """Close the connections."""
        del self._producer

    def pay(self, transactions: Sequence[Transaction]) -> list[Sent]:
        """Write transactions, each on the partition of its card."""
        sent = []
        for transaction in transactions:
            partition = sum(transaction.card_id.encode()) % PARTITIONS
            self._produce(self.topics.transactions, partition, wire.encode(transaction))
            sent.append(Sent(transaction, partition, self.ends[partition]))
            self.ends[partition] += 1
        self.sent += sent
        self._producer.flush()
        return sent

    def score(
        self,
        sent: Sequence[Sent],
        *,
        writer: str = "w1",
        epoch: int = 0,
        recomputed: bool = False,
        scores: bool = True,
        features: bool = True,
    ) -> None:
        """Write scores and feature rows as the scorer does, one message of feature rows per partition."""
        for partition in range(PARTITIONS):
            chosen = [one for one in sent if one.partition == partition]
            values = [score_of(one, writer, epoch) for one in chosen]
            for score in values if scores else ():
                self._produce(self.topics.scores, partition, wire.encode(score))
            if features and chosen:
                self._send_features(partition, chosen, values, recomputed=recomputed)
        self._producer.flush()

    def reject(self, partition: int) -> None:
        """Write a transaction that nobody can read, and what the scorer says of it."""
        self._produce(self.topics.transactions, partition, b'{"transaction_id": 1}')
        header = FeatureBatchHeader(self.ends[partition], self.ends[partition], 0, "w1", "id", DEFAULT.version, False)
        self._produce(self.topics.features, partition, self._encoder.encode([], _no_rows()), dict(header.encode()))
        self.ends[partition] += 1
        self._producer.flush()

    def state(self, *labels: Label) -> None:
        """Write labels, each on the partition of its card."""
        for label in labels:
            partition = sum(label.card_id.encode()) % PARTITIONS
            self._produce(self.topics.labels, partition, wire.encode(label))
            self.labels[partition] += 1
        self._producer.flush()

    def tick(self, as_of: int) -> None:
        """Say that everything before as_of has been sent."""
        tick = ClockTick(as_of=as_of, transactions_end=dict(self.ends), labels_end=dict(self.labels))
        self._produce(self.topics.clock, 0, wire.encode(tick))
        self._producer.flush()

    def write(self, topic: str, value: bytes, partition: int = 0) -> None:
        """Write anything anywhere."""
        self._produce(topic, partition, value)
        self._producer.flush()

    def commits(self) -> list[Message]:
        """Every announcement so far."""
        recorder = TopicRecorder(self.broker, self.topics.archive_commits)
        recorder.read_to_end()
        recorder.close()
        return recorder.records[0]

    def wait_for_watermark(self, at_least: int) -> ArchiveCommit:
        """The first announcement of a watermark."""

        def look() -> ArchiveCommit | None:
            found = [wire.decode(ArchiveCommit, message.value() or b"") for message in self.commits()]
            return next((commit for commit in found if commit.watermark >= at_least), None)

        found = wait_until(look, f"watermark {at_least}")
        assert found is not None
        return found

    def _send_features(
        self, partition: int, chosen: Sequence[Sent], scores: Sequence[Score], *, recomputed: bool
    ) -> None:
        writer, epoch = scores[0].writer, scores[0].epoch
        scored = ScoredColumns(
            source_offset=np.array([one.offset for one in chosen]),
            score=np.array([score.score for score in scores], np.float32),
            decision=np.array([DECISIONS.index(score.decision) for score in scores], np.uint8),
            values=np.array([values_of(one) for one in chosen], np.float32),
            writer="again" if recomputed else writer,
            epoch=epoch,
            role="champion",
            model_version=MODEL,
            profiles_as_of=0,
            recomputed=recomputed,
            verified=True,
        )
        header = FeatureBatchHeader(
            chosen[0].offset, chosen[-1].offset, epoch, scored.writer, "id", DEFAULT.version, recomputed=recomputed
        )
        message = self._encoder.encode([one.transaction for one in chosen], scored)
        self._produce(self.topics.features, partition, message, dict(header.encode()))

    def _produce(self, topic: str, partition: int, value: bytes | None, headers: Any = None) -> None:
        self._producer.produce(topic, value, key=b"k", partition=partition, headers=headers)


def _no_rows() -> ScoredColumns:
    none = np.empty(0, np.int64)
    values = np.empty((0, len(DEFAULT)), np.float32)
    return ScoredColumns(
        none,
        values[:, 0],
        none.astype(np.uint8),
        values,
        "w1",
        0,
        "champion",
        MODEL,
        0,
        recomputed=False,
        verified=True,
    )


def score_of(sent: Sent, writer: str = "w1", epoch: int = 0) -> Score:
    """What the scorer says of a transaction: made up from its id, so that everybody can say it again."""
    draw = np.random.default_rng([*sent.transaction.transaction_id.encode()])
    score = float(np.float32(draw.random()))
    decision = DECISIONS[2 if score > 0.95 else 1 if score > 0.9 else 0]
    reasons = [ReasonCode("R1", "card_count_1d", 3.0, 0.5), ReasonCode("R2", "amount", 9.5, 0.25)]
    return Score(
        transaction_id=sent.transaction.transaction_id,
        event_time=sent.transaction.event_time,
        card_id=sent.transaction.card_id,
        score=score,
        score_scaled=int(score * 999),
        decision=decision,
        reason_codes=reasons if decision != "approve" else [],
        model_version=MODEL,
        feature_set=DEFAULT.version,
        role="champion",
        scored_at=1_764_000_000_000,
        degraded=False,
        duplicate=False,
        source_offset=sent.offset,
        epoch=epoch,
        writer=writer,
    )


def values_of(sent: Sent) -> np.ndarray:
    """Feature values of a transaction, made up from its id."""
    draw = np.random.default_rng([1, *sent.transaction.transaction_id.encode()])
    return draw.random(len(DEFAULT), np.float32)


def label_of(of: Transaction, labelled_at: int, *, is_fraud: bool = True) -> Label:
    """A statement about a transaction."""
    return Label(of.transaction_id, of.card_id, of.terminal_id, of.event_time, is_fraud, "chargeback", labelled_at)


@dataclass
class Archivers:
    """Starts archive processes that share topics, Redis and tables, and ends them all."""

    broker: str
    redis_url: str
    redis_prefix: str
    topics: TopicNames
    folder: Path
    started: list[WorkerProcess] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the tables are."""
        return str(self.folder / "archive")

    def start(self, *options: str, active: bool = True, sabotage: Callable[[], None] | None = None) -> WorkerProcess:
        """Start one; waits until it is active unless told otherwise."""
        arguments = [
            *("archive", "--broker", self.broker, "--redis", self.redis_url, "--redis-prefix", self.redis_prefix),
            *("--topic-prefix", self.topics.prefix, "--archive", self.url),
            *("--lease", "1", "--commit-every", "0.2", *options),
        ]
        log = self.folder / f"archiver-{len(self.started)}.log"
        archiver = WorkerProcess(arguments, {"FRAUDSTREAM_DATA": str(self.folder / "data")}, log, sabotage)
        self.started.append(archiver)
        if active:
            archiver.wait_for("active as archiver")
        return archiver


@contextmanager
def archivers(broker: str, redis_url: str, redis_prefix: str, topics: TopicNames, folder: Path) -> Iterator[Archivers]:
    """Archivers that are gone at the end, whatever happened."""
    made = Archivers(broker, redis_url, redis_prefix, topics, folder)
    try:
        yield made
    finally:
        for archiver in made.started:
            archiver.kill()
