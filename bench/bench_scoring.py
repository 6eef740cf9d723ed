"""Events per second of one scoring worker on a real broker, beside a naive Faust agent that does the same work.

Worker, broker, producer and reader share the machine. A round warms the worker up, then sends all events as fast as
the broker takes them, and ends when the reader has received the last score; rounds of both kinds take turns.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, Producer

from bench.worker import Worker
from bench.workload import Workload, promote_model
from models.schema.topics import TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics

WARM_UP = 5_000
DEADLINE_S = 300.0
REDIS_PREFIX = "bench:"


@dataclass(frozen=True, slots=True)
class Round:
    """What one round measured."""

    events_per_s: float
    events_per_cpu_s: float
    memory_mb: float


class Bench:
    """One stack, one model, any number of rounds."""

    def __init__(self, stack: LocalStack, folder: Path, workload: Workload) -> None:
        self._stack = stack
        self._folder = folder
        self._workload = workload
        self._rounds = 0

    def ours(self, events: int) -> Round:
        """A round of `fraudstream score`."""
        topics = self._topics()
        run = "from stream_app.cli import main; main()"
        options = ["score", "--topic-prefix", topics.prefix, "--redis-prefix", REDIS_PREFIX, "--group", topics.prefix]
        environment = {
            "FRAUDSTREAM_BROKER": self._stack.broker,
            "FRAUDSTREAM_REDIS": self._stack.redis_url,
            "FRAUDSTREAM_DATA": str(self._folder),
        }
        return self._round(Worker(["-c", run, *options], environment, self._folder / "ours.log"), topics, events)

    def naive(self, events: int) -> Round:
        """A round of the naive agent."""
        topics = self._topics()
        environment = {
            "BROKER": self._stack.broker,
            "REDIS": self._stack.redis_url,
            "REDIS_PREFIX": REDIS_PREFIX,
            "SIGNERS": str(self._folder / "allowed-signers"),
            "TOPIC_PREFIX": topics.prefix,
            "DATADIR": str(self._folder / "naive"),
        }
        worker = Worker(["-m", "bench.peers.naive_faust"], environment, self._folder / "naive.log")
        return self._round(worker, topics, events)

    def _topics(self) -> TopicNames:
        self._rounds += 1
        topics = TopicNames(f"round{self._rounds}.")
        create_topics(self._stack.broker, topics, partitions=4)
        return topics

    def _round(self, worker: Worker, topics: TopicNames, events: int) -> Round:
        producer = Producer(
            {
                "bootstrap.servers": self._stack.broker,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "queue.buffering.max.messages": 2_000_000,
                "queue.buffering.max.kbytes": 1_000_000,
                "log_level": 0,
            }
        )
        reader = Consumer(
            {
                "bootstrap.servers": self._stack.broker,
                "group.id": f"{topics.prefix}reader",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        reader.subscribe([topics.scores])
        with worker:
            _send(producer, topics.transactions, self._workload.messages[:WARM_UP])
            _receive(reader, worker, WARM_UP)
            time.sleep(1)
            cpu_s, started = worker.cpu_s(), time.perf_counter()
            _send(producer, topics.transactions, self._workload.messages[WARM_UP : WARM_UP + events])
            _receive(reader, worker, events)
            took_s, cpu_s = time.perf_counter() - started, worker.cpu_s() - cpu_s
            memory = worker.memory_bytes()
        reader.close()
        return Round(events / took_s, events / cpu_s, memory / 1e6)


def _send(producer: Producer, topic: str, messages: Sequence[tuple[bytes, bytes]]) -> None:
    for key, value in messages:
        producer.produce(topic, value, key)
    producer.poll(0)


def _receive(reader: Consumer, worker: Worker, count: int) -> None:
    received, until = 0, time.monotonic() + DEADLINE_S
    while received < count:
        received += len(reader.consume(10_000, timeout=0.05))
        worker.require_alive()
        if time.monotonic() > until:
            raise TimeoutError(f"{received} of {count} scores within {DEADLINE_S:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400_000, help="events a round of ours")
    parser.add_argument("--naive-events", type=int, default=8_000, help="events a round of the naive agent")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    workload = Workload.simulated(WARM_UP + max(arguments.events, arguments.naive_events))
    with tempfile.TemporaryDirectory() as name, LocalStack(Path(name) / "stack") as stack:
        folder = Path(name)
        promote_model(stack.redis_url, REDIS_PREFIX, folder)
        bench = Bench(stack, folder, workload)
        rounds: dict[str, list[Round]] = {"fraudstream": [], "naive Faust": []}
        for _ in range(arguments.rounds):
            rounds["naive Faust"].append(bench.naive(arguments.naive_events))
            rounds["fraudstream"].append(bench.ours(arguments.events))
    _print(rounds, as_json=arguments.json)


def _print(rounds: dict[str, list[Round]], *, as_json: bool) -> None:
    speed = {name: statistics.median(r.events_per_s for r in found) for name, found in rounds.items()}
    cpu = {name: statistics.median(r.events_per_cpu_s for r in found) for name, found in rounds.items()}
    memory = {name: statistics.median(r.memory_mb for r in found) for name, found in rounds.items()}
    if as_json:
        print(json.dumps({"throughput": speed, "cpu": cpu, "memory": memory}))
        return
    print(f"{'one worker, real broker':<26}{'events/s':>10}{'spread':>18}{'events/CPU s':>14}{'memory MB':>11}")
    for name, found in rounds.items():
        spread = f"{min(r.events_per_s for r in found):,.0f} to {max(r.events_per_s for r in found):,.0f}"
        print(f"{name:<26}{speed[name]:>10,.0f}{spread:>18}{cpu[name]:>14,.0f}{memory[name]:>11,.0f}")
    print(f"ratio {speed['fraudstream'] / speed['naive Faust']:.1f}")


if __name__ == "__main__":
    main()
