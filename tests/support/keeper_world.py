"""A small world for the profile keeper: scored transactions, labels and ticks on real topics, and its process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from models.features.feature_set import DEFAULT
from models.features.profile_keeper import STEP_MS, ProfileCounts
from models.schema import wire
from models.schema.clock_tick import ClockTick
from models.schema.feature_batch import FeatureBatchEncoder, FeatureBatchHeader, ScoredColumns
from models.schema.label import Label
from models.schema.terminal_profile import MARKER_KEY, ProfileMarker, TerminalProfile
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from tests.support.worker_process import WorkerProcess

START = 1_522_540_800_000
DAY_MS = 86_400_000
PARTITIONS = 4
DEADLINE_S = 30.0


@dataclass
class Row:
    """A scored transaction, where it lies and whether the amount explains a fraud."""

    transaction: Transaction
    partition: int
    declined: bool = False
    explained: bool = False


def row(number: int, event_time: int, terminal: str, partition: int | None = None, **decided: bool) -> Row:
    """One transaction."""
    transaction = Transaction(f"t{number}", event_time, f"c{number % 17}", terminal, 1000 + number, "EUR")
    return Row(transaction, number % PARTITIONS if partition is None else partition, **decided)


def label(of: Row, labelled_at: int, *, is_fraud: bool = True) -> Label:
    """A statement about a transaction."""
    t = of.transaction
    return Label(t.transaction_id, t.card_id, t.terminal_id, t.event_time, is_fraud, "chargeback", labelled_at)


def header_of(message: Message, name: str) -> str:
    """A record header as text."""
    value: Any = dict(message.headers() or [])[name]
    return str(value.decode())


class KeeperWorld:
    """Writes the keeper's inputs and reads its output, on one set of topics."""

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self.broker, self.topics = broker, topics
        self.offsets = dict.fromkeys(range(PARTITIONS), 0)
        self.labels = 0
        self._producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
        self._encoder = FeatureBatchEncoder(DEFAULT.names)

    def close(self) -> None:
        """Close the connections."""
        del self._producer

    def score(self, rows: list[Row], *, repeat_from: int | None = None) -> None:
        """Write rows as the scorer does, one message per partition; `repeat_from` repeats offsets."""
        for partition in range(PARTITIONS):
            chosen = [one for one in rows if one.partition == partition]
            if chosen:
                first = self.offsets[partition] if repeat_from is None else repeat_from
                self._send_features(partition, first, chosen)
                self.offsets[partition] = max(self.offsets[partition], first + len(chosen))
        self._producer.flush()

    def reject(self, partition: int, records: int) -> None:
        """Cover records that the scorer rejected: a message without rows."""
        self._send_features(partition, self.offsets[partition], [], records)
        self.offsets[partition] += records
        self._producer.flush()

    def state(self, *labels: Label) -> None:
        """Write labels."""
        for one in labels:
            self._producer.produce(self.topics.labels, wire.encode(one), partition=0)
        self.labels += len(labels)
        self._producer.flush()

    def write(self, topic: str, value: bytes, *, key: bytes = b"k") -> None:
        """Write anything anywhere."""
        self._producer.produce(topic, value, key=key, partition=0)
        self._producer.flush()

    def tick(self, as_of: int) -> None:
        """Say that everything before as_of has been sent."""
        tick = ClockTick(as_of=as_of, transactions_end=dict(self.offsets), labels_end={0: self.labels})
        self._producer.produce(self.topics.clock, wire.encode(tick), partition=0)
        self._producer.flush()

    def _send_features(self, partition: int, first: int, rows: list[Row], records: int | None = None) -> None:
        values = np.zeros((len(rows), len(DEFAULT)), np.float32)
        values[:, DEFAULT.index("card_amount_to_usual")] = [1e3 if one.explained else 0.0 for one in rows]
        scored = ScoredColumns(
            source_offset=np.arange(first, first + len(rows)),
            score=np.zeros(len(rows), np.float32),
            decision=np.array([2 if one.declined else 0 for one in rows], np.uint8),
            values=values,
            writer="w1",
            epoch=0,
            role="champion",
            model_version="m-1",
            profiles_as_of=0,
            recomputed=False,
            verified=True,
        )
        last = first + (len(rows) if records is None else records) - 1
        header = FeatureBatchHeader(first, last, 0, "w1", "id", DEFAULT.version, recomputed=False)
        message = self._encoder.encode([one.transaction for one in rows], scored)
        self._producer.produce(self.topics.features, message, partition=partition, headers=dict(header.encode()))

    def read(self, topic: str, partition: int = 0) -> list[Message]:
        """Every record of a partition from the beginning."""
        consumer = Consumer({"bootstrap.servers": self.broker, "group.id": "none", "enable.partition.eof": True})
        try:
            consumer.assign([TopicPartition(topic, partition, 0)])
            found: list[Message] = []
            until = time.monotonic() + DEADLINE_S
            while time.monotonic() < until:
                message = consumer.poll(1.0)
                if message is None:
                    continue
                if message.error():
                    return found
                found.append(message)
            raise AssertionError(f"{topic} could not be read to its end")
        finally:
            consumer.close()

    def wait_for_records(self, topic: str, count: int) -> list[Message]:
        """Every record of a partition once there are so many."""
        until = time.monotonic() + DEADLINE_S
        while len(found := self.read(topic)) < count:
            assert time.monotonic() < until, f"{len(found)} of {count} records on {topic}"
            time.sleep(0.02)
        return found

    def steps(self) -> list["Step"]:
        """What the keeper has published, step by step, repetitions included."""
        steps: list[Step] = []
        changed: dict[str, TerminalProfile] = {}
        removed: set[str] = set()
        for message in self.read(self.topics.profiles):
            if message.key() == MARKER_KEY:
                marker = wire.decode(ProfileMarker, message.value() or b"")
                assert marker.profiles == len(changed) + len(removed)
                steps.append(Step(marker, changed, removed))
                changed, removed = {}, set()
            elif message.value() is None:
                removed.add((message.key() or b"").decode())
            else:
                profile = wire.decode(TerminalProfile, message.value() or b"")
                changed[profile.terminal_id] = profile
        return steps

    def wait_for_step(self, as_of: int) -> list["Step"]:
        """Everything published once the step is there."""
        until, steps = time.monotonic() + DEADLINE_S, list[Step]()
        while time.monotonic() < until:
            steps = self.steps()
            if any(step.marker.as_of >= as_of for step in steps):
                return steps
            time.sleep(0.02)
        raise AssertionError(f"no step {as_of} within {DEADLINE_S:g} s; there are {[s.marker.as_of for s in steps]}")


@dataclass
class Step:
    """One published step."""

    marker: ProfileMarker
    changed: dict[str, TerminalProfile]
    removed: set[str]


def table(steps: list[Step]) -> dict[str, TerminalProfile]:
    """What a reader of all steps holds in the end."""
    held: dict[str, TerminalProfile] = {}
    for step in steps:
        held.update(step.changed)
        for terminal in step.removed:
            held.pop(terminal, None)
    return held


@dataclass
class Expected:
    """The same counts without Kafka, processes and crashes."""

    counts: ProfileCounts = field(default_factory=ProfileCounts)
    held: dict[str, TerminalProfile] = field(default_factory=dict)
    labels: int = 0

    def score(self, rows: list[Row]) -> None:
        """Count rows."""
        self.counts.add_scored(
            np.array([one.transaction.event_time for one in rows], np.int64),
            [one.transaction.terminal_id for one in rows],
            [one.transaction.transaction_id for one in rows],
            np.array([one.declined for one in rows], bool),
            np.array([one.explained for one in rows], bool),
        )

    def state(self, *labels: Label) -> None:
        """Count labels."""
        for one in labels:
            self.counts.add_label(one, (0, self.labels))
            self.labels += 1

    def close(self, as_of: int) -> dict[str, TerminalProfile]:
        """The table after a step."""
        step = self.counts.close_step(as_of)
        self.held.update({profile.terminal_id: profile for profile in step.changed})
        for terminal in step.removed:
            self.held.pop(terminal, None)
        return dict(self.held)


@dataclass
class Keepers:
    """Starts keeper processes that share topics, Redis and checkpoints, and ends them all."""

    broker: str
    redis_url: str
    redis_prefix: str
    topics: TopicNames
    folder: Path
    started: list[WorkerProcess] = field(default_factory=list)

    def start(self, *options: str, active: bool = True) -> WorkerProcess:
        """Start one; waits until it is active unless told otherwise."""
        log = self.folder / f"keeper-{len(self.started)}.log"
        arguments = [
            *("watch", "--broker", self.broker, "--redis", self.redis_url, "--redis-prefix", self.redis_prefix),
            *("--topic-prefix", self.topics.prefix, "--checkpoints", str(self.folder / "checkpoints")),
            *("--lease", "3", "--checkpoint-every", "0.3", *options),
        ]
        keeper = WorkerProcess(arguments, {"FRAUDSTREAM_DATA": str(self.folder / "data")}, log)
        self.started.append(keeper)
        if active:
            keeper.wait_for("active as keeper")
        return keeper


@contextmanager
def keepers(broker: str, redis_url: str, redis_prefix: str, topics: TopicNames, folder: Path) -> Iterator[Keepers]:
    """Keepers that are gone at the end, whatever happened."""
    made = Keepers(broker, redis_url, redis_prefix, topics, folder)
    try:
        yield made
    finally:
        for keeper in made.started:
            keeper.kill()


def steps_from(start: int, count: int) -> list[int]:
    """The next multiples of a step."""
    return [start + number * STEP_MS for number in range(1, count + 1)]
