"""Transactions per second that the archive takes in, with their scores, feature rows and labels.

The four topics hold what one scoring worker puts out: batches of 500 with 70 features, one label for every fifty
transactions. A round starts a fresh archive and ends when all of it is announced; beside it, in turn, a plain consumer
reads the same records and writes nothing. Broker, archive and reader share the machine. Beside it the bytes that a
transaction takes in each table as it was appended; the values of its feature row are drawn, and compress less than real
ones.
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition

from bench.hot_path import HotPath
from bench.worker import Worker
from bench.workload import Workload
from models.features.feature_set import DEFAULT
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.feature_batch import FeatureBatchEncoder, FeatureBatchHeader, ScoredColumns
from models.schema.label import Label
from models.schema.score import ReasonCode, Score
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from models.schema.wire import decode
from stream_app.archive.tables import TABLES
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics

PARTITIONS = 4
BATCH = 500
LABEL_EVERY = 50
REASONS_EVERY = 200
DEADLINE_S = 300
REASONS = [ReasonCode("R1", "card_amount_to_usual", 7.5, 1.25), ReasonCode("R2", "terminal_risk_7d", 0.4, 0.75)]
TOPICS = TopicNames("bench.")


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement."""

    events_per_s: float
    events_per_cpu_s: float


class Output:
    """What a bank and one scoring worker leave on the four topics."""

    def __init__(self, broker: str, events: int) -> None:
        self.events = events
        self.records = 0
        self._draw = np.random.default_rng(7)
        self._encoder = FeatureBatchEncoder(DEFAULT.names)
        self._producer = Producer(
            {"bootstrap.servers": broker, "linger.ms": 20, "compression.type": "lz4", "batch.size": 1 << 20}
        )

    def write(self) -> None:
        """Write all of it."""
        offsets = dict.fromkeys(range(PARTITIONS), 0)
        messages = [value for _, value in Workload.simulated(self.events).messages]
        for number, start in enumerate(range(0, self.events, BATCH)):
            batch = [decode(Transaction, value) for value in messages[start : start + BATCH]]
            partition = number % PARTITIONS
            self._write_batch(partition, offsets[partition], batch)
            offsets[partition] += len(batch)
        self._producer.flush()

    def _write_batch(self, partition: int, first: int, batch: list[Transaction]) -> None:
        scores = self._draw.random(len(batch)).astype(np.float32)
        for at, transaction in enumerate(batch):
            self._send(TOPICS.transactions, partition, wire.encode(transaction))
            self._send(TOPICS.scores, partition, wire.encode(_score(transaction, float(scores[at]), first + at)))
            if at % LABEL_EVERY == 0:
                self._send(TOPICS.labels, partition, wire.encode(_label(transaction)))
        scored = ScoredColumns(
            source_offset=np.arange(first, first + len(batch)),
            score=scores,
            decision=np.zeros(len(batch), np.uint8),
            # Counts, ratios and amounts: few of the real features are as random as a random number.
            values=np.round(self._draw.lognormal(1, 1, (len(batch), len(DEFAULT))), 1).astype(np.float32),
            writer="bench",
            epoch=0,
            role="champion",
            model_version="bench-1",
            profiles_as_of=0,
            recomputed=False,
            verified=True,
        )
        header = FeatureBatchHeader(first, first + len(batch) - 1, 0, "bench", "id", DEFAULT.version, recomputed=False)
        self._send(TOPICS.features, partition, self._encoder.encode(batch, scored), dict(header.encode()))

    def _send(self, topic: str, partition: int, value: bytes, headers: Any = None) -> None:
        while True:
            try:
                self._producer.produce(topic, value, partition=partition, headers=headers)
                break
            except BufferError:
                self._producer.poll(0.1)
        self.records += 1


def _score(transaction: Transaction, score: float, source_offset: int) -> Score:
    return Score(
        transaction_id=transaction.transaction_id,
        event_time=transaction.event_time,
        card_id=transaction.card_id,
        score=score,
        score_scaled=int(score * 999),
        decision="approve",
        reason_codes=REASONS if source_offset % REASONS_EVERY == 0 else [],
        model_version="bench-1",
        feature_set=DEFAULT.version,
        role="champion",
        scored_at=time.time_ns() // 1_000_000,
        degraded=False,
        duplicate=False,
        source_offset=source_offset,
        epoch=0,
        writer="bench",
    )


def _label(transaction: Transaction) -> Label:
    return Label(
        transaction_id=transaction.transaction_id,
        card_id=transaction.card_id,
        terminal_id=transaction.terminal_id,
        event_time=transaction.event_time,
        is_fraud=True,
        label_source="chargeback",
        labelled_at=transaction.event_time + 1,
    )


class Bench:
    """Runs rounds over what is on the topics."""

    def __init__(self, stack: LocalStack, folder: Path, output: Output) -> None:
        self._stack, self._folder, self._output = stack, folder, output
        self._rounds = 0
        self.bytes_per_event: dict[str, float] = {}

    def archive(self) -> Round:
        """Everything into fresh tables, until the last of it is announced."""
        self._rounds += 1
        follower = _reader(self._stack.broker)
        end = follower.get_watermark_offsets(TopicPartition(TOPICS.archive_commits, 0))[1]
        follower.assign([TopicPartition(TOPICS.archive_commits, 0, end)])
        options = [
            *("archive", "--broker", self._stack.broker, "--redis", self._stack.redis_url),
            *("--topic-prefix", TOPICS.prefix, "--archive", str(self._folder / f"archive-{self._rounds}")),
            *("--redis-prefix", f"bench-{self._rounds}:", "--commit-every", "1"),
        ]
        environment = {"FRAUDSTREAM_DATA": str(self._folder / "data"), "PYTHONPATH": "."}
        with Worker.fraudstream(options, environment, self._folder / "archive.log") as worker:
            _follow(follower, worker, 0)
            started, cpu_s = time.perf_counter(), worker.cpu_s()
            _follow(follower, worker, self._output.events)
            took_s, cpu_s = time.perf_counter() - started, worker.cpu_s() - cpu_s
        follower.close()
        tables = self._folder / f"archive-{self._rounds}"
        self.bytes_per_event = {
            name: sum(file.stat().st_size for file in (tables / name).rglob("*.parquet")) / self._output.events
            for name in TABLES
        }
        return Round(self._output.events / took_s, self._output.events / cpu_s)

    def baseline(self) -> Round:
        """The same records read and dropped."""
        reader = _reader(self._stack.broker)
        reader.assign([TopicPartition(TOPICS.of(name), p, 0) for name in TABLES for p in range(PARTITIONS)])
        started, cpu_s, received = time.perf_counter(), time.process_time(), 0
        while received < self._output.records:
            received += len([message.value() for message in reader.consume(10_000, 0.1)])
        took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
        reader.close()
        return Round(self._output.events / took_s, self._output.events / cpu_s)


def _reader(broker: str) -> Consumer:
    return Consumer({"bootstrap.servers": broker, "group.id": "bench", "enable.auto.commit": False})


def _follow(follower: Consumer, worker: Worker, scores: int) -> None:
    """Wait for the announcement that so many scores, and all else, are in the tables."""
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        worker.require_alive()
        message = follower.poll(0.05)
        if message is None or message.error() is not None:
            continue
        commit = msgspec.json.decode(message.value() or b"", type=ArchiveCommit)
        reached = [sum(commit.offsets[name].values()) for name in ("transactions", "scores")]
        if min(reached) >= scores and sum(commit.offsets["features"].values()) * BATCH >= scores:
            return
    raise TimeoutError(f"not archived within {DEADLINE_S} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400_000, help="transactions a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, LocalStack(Path(name) / "stack") as stack:
        create_topics(stack.broker, TOPICS, PARTITIONS)
        output = Output(stack.broker, arguments.events)
        output.write()
        bench = Bench(stack, Path(name), output)
        rounds: dict[str, list[Round]] = {"archive": [], "plain consumer": []}
        for _ in range(arguments.rounds):
            rounds["plain consumer"].append(bench.baseline())
            rounds["archive"].append(bench.archive())
    _print(rounds, bench.bytes_per_event, as_json=arguments.json)


def _print(rounds: dict[str, list[Round]], sizes: dict[str, float], *, as_json: bool) -> None:
    speed = {name: statistics.median(r.events_per_s for r in found) for name, found in rounds.items()}
    cpu = {name: statistics.median(r.events_per_cpu_s for r in found) for name, found in rounds.items()}
    if as_json:
        path = HotPath("archive", 1e6 / cpu["archive"], "plain consumer", 1e6 / cpu["plain consumer"])
        figures = {"throughput": speed, "cpu": cpu, "archive_bytes_per_event": sizes}
        print(json.dumps({**figures, "hot_paths": {path.name: path.figures()}}))
        return
    print(f"{'transactions archived':<26}{'a second':>12}{'a CPU second':>16}")
    for name in rounds:
        print(f"{name:<26}{speed[name]:>12,.0f}{cpu[name]:>16,.0f}")
    print("each with its score, its row of 70 features, and a label for every 50th")
    print("bytes a transaction: " + ", ".join(f"{name} {size:,.0f}" for name, size in sizes.items()))


if __name__ == "__main__":
    main()
