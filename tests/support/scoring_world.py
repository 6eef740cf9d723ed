"""A bank, a broker, a registry and workers on one fresh set of topics: what a fault test breaks."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import OFFSET_END, Producer, TopicPartition

from models.bundle import Bundle
from models.features.feature_set import DEFAULT
from models.registry import Registry
from models.schema import wire
from models.schema.decoding import decode_transactions
from models.schema.murmur2 import murmur2_partition
from models.schema.score import Score
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from stream_app.chaos.tiny_models import TinyModels
from stream_app.topic_admin import admin_client
from tests.support.scored_output import Place, ScoredOutput, undisturbed
from tests.support.topic_recorder import TopicRecorder
from tests.support.worker_process import WorkerProcess

_FEATURES_S = 10.0
"""Feature rows follow their scores within .05 s, or are computed again when a partition is opened; what is not there
then is missing, which is for the checks to say."""


@dataclass
class ScoringWorld:
    """Everything around the workers of one test."""

    broker: str
    redis_url: str
    redis_prefix: str
    topics: TopicNames
    folder: Path
    models: TinyModels
    partitions: int
    workers: list[WorkerProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.group = f"{self.topics.prefix}score"
        self.admin = admin_client(self.broker)
        self.registry = Registry(self.redis_url, self.redis_prefix)
        self.output = ScoredOutput(self.broker, self.topics)
        self.sent: dict[int, list[Transaction]] = {partition: [] for partition in range(self.partitions)}
        self._producer = Producer({"bootstrap.servers": self.broker, "linger.ms": 5, "log_level": 0})

    @property
    def checkpoints(self) -> Path:
        """Where the workers keep their checkpoints."""
        return self.folder / "checkpoints"

    # the bank

    def send(self, transactions: Iterable[Transaction]) -> None:
        """Publish transactions as a bank does: keyed by card, partitioned by murmur2."""
        for transaction in transactions:
            key = transaction.card_id.encode()
            self.put(transaction, murmur2_partition(key, self.partitions))
        self.flush()

    def put(self, transaction: Transaction, partition: int) -> None:
        """Publish one transaction to a certain partition."""
        self.put_bytes(wire.encode(transaction), transaction.card_id.encode(), partition)
        self.sent[partition].append(transaction)

    def put_bytes(self, value: bytes, key: bytes, partition: int) -> None:
        """Publish anything."""
        while True:
            try:
                self._producer.produce(self.topics.transactions, value, key, partition)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def flush(self) -> None:
        """Wait until all that was published is there."""
        assert self._producer.flush(30) == 0

    # the workers

    def promote(self, bundle: Bundle, actor: str = "tester") -> str:
        """Put a model into the registry and make it champion."""
        version = self.registry.put(bundle)
        self.registry.promote(version, actor, "test")
        return version

    def arguments(self, *options: str, redis_url: str | None = None) -> list[str]:
        """The command line of a worker with fast commits, checkpoints and take-overs."""
        return [
            "score", "--broker", self.broker, "--redis", redis_url or self.redis_url, "--topic-prefix",
            self.topics.prefix,
            "--redis-prefix", self.redis_prefix, "--group", self.group, "--checkpoints", str(self.checkpoints),
            "--allowed-signers", str(self.models.signers), "--checkpoint-every", "0.5", "--session-timeout", "2",
            *options,
        ]  # fmt: skip

    def environment(self, data: str = "data") -> dict[str, str]:
        """The variables of a worker whose data folder has this name."""
        return {"FRAUDSTREAM_DATA": str(self.folder / data)}

    def start(
        self,
        *options: str,
        sabotage: Callable[[], None] | None = None,
        redis_url: str | None = None,
        data: str = "data",
    ) -> WorkerProcess:
        """Start a worker."""
        log = self.folder / f"worker-{len(self.workers)}.log"
        worker = WorkerProcess(self.arguments(*options, redis_url=redis_url), self.environment(data), log, sabotage)
        self.workers.append(worker)
        return worker

    def close(self) -> None:
        """End every worker and disconnect."""
        for worker in self.workers:
            worker.kill()
        self.output.close()

    # what must hold

    def wait_for_scores(self, count: int, deadline_s: float = 60.0) -> dict[Place, Score]:
        """Read until so many scores are kept, and return them; fails at once when every worker has ended."""
        output = self.output

        def enough() -> bool:
            if output.raw >= count and len(output.kept()) >= count:
                return True
            assert any(worker.running for worker in self.workers), [worker.said for worker in self.workers]
            return False

        output.scores.read_until(
            enough, deadline_s, lambda: f"{count} scores, only {len(output.kept())}; {self.workers[-1].said}"
        )
        return output.kept()

    def wait_for_all(self, deadline_s: float = 60.0) -> dict[Place, Score]:
        """Wait until everything that was sent is scored and, a little later, its feature rows are there too."""
        kept = self.wait_for_scores(sum(map(len, self.sent.values())), deadline_s)
        until = time.monotonic() + _FEATURES_S
        while len(self.output.counted_rows()) < len(kept) and time.monotonic() < until:
            time.sleep(0.05)
        return kept

    def input(self) -> dict[int, list[tuple[int, Transaction]]]:
        """What a consumer of committed records finds in `transactions`: offset and transaction, the decodable ones."""
        recorder = TopicRecorder(self.broker, self.topics.transactions)
        try:
            recorder.read_to_end()
            found = {}
            for partition, records in recorder.records.items():
                good, indices, _ = decode_transactions([record.value() for record in records])
                found[partition] = [(records[i].offset() or 0, one) for i, one in zip(indices, good, strict=True)]
            return found
        finally:
            recorder.close()

    def check_exactly_once(self, epoch: int = 0) -> None:
        """By the reader's rule every transaction is scored once, in order, none is missing and none is made up."""
        self.output.scores.read_to_end()
        kept = self.output.kept()
        for partition, records in self.input().items():
            wanted = [(offset, transaction.transaction_id) for offset, transaction in records]
            mine = (partition, epoch)
            found = [(place[2], score.transaction_id) for place, score in kept.items() if place[:2] == mine]
            assert len(found) == len(wanted), f"partition {partition}: {len(found)} kept of {len(wanted)}"
            assert found == wanted, f"partition {partition} differs"

    def check_features(self, epoch: int = 0) -> None:
        """Every kept score has its feature row, with the values of an undisturbed run, bit for bit."""
        rows = self.output.counted_rows()
        for partition, records in self.input().items():
            if not records:
                continue
            places: list[Place] = [(partition, epoch, offset) for offset, _ in records]
            missing = [place for place in places if place not in rows]
            assert not missing, f"{len(missing)} feature rows are missing, the first at {missing[0]}"
            found = [rows[place] for place in places]
            assert [row.transaction_id for row in found] == [transaction.transaction_id for _, transaction in records]
            assert all(row.verified for row in found)
            values, _ = undisturbed([transaction for _, transaction in records])
            assert_same_bits(np.stack([row.values for row in found]), values, f"partition {partition}")

    def check_nothing_lost(self, epoch: int = 0) -> None:
        """Both of the above."""
        self.check_exactly_once(epoch)
        self.check_features(epoch)

    # breaking things

    def delete_records(self, topic: str, before: Sequence[int] | None = None) -> None:
        """Delete the records of every partition below an offset; all there are by default."""
        places = [
            TopicPartition(topic, partition, OFFSET_END if before is None else before[partition])
            for partition in range(self.partitions)
        ]
        for deleted in self.admin.delete_records(places).values():
            deleted.result()


def assert_same_bits(found: np.ndarray, expected: np.ndarray, where: str) -> None:
    """Fail with the first feature that differs."""
    rows, columns = np.nonzero(found.view(np.uint32) != expected.view(np.uint32))
    if len(rows):
        row, column = rows[0], columns[0]
        pytest.fail(
            f"{where}: {len(rows)} values differ; row {row}, {DEFAULT.names[column]}: "
            f"{found[row, column]} instead of {expected[row, column]}"
        )
