"""Events per second of one scoring worker on a real broker, beside a naive Faust agent that does the same work.

Worker, broker, producer and reader share the machine. A round warms the worker up, then sends all events as fast as
the broker takes them, and ends when the reader has received the last score; rounds of both kinds take turns.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from bench.traffic import Traffic
from bench.worker import Round, Worker
from bench.workload import Workload, promote_model
from models.schema.topics import TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics

WARM_UP = 5_000
REDIS_PREFIX = "bench:"


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
        options = ["score", "--topic-prefix", topics.prefix, "--redis-prefix", REDIS_PREFIX, "--group", topics.prefix]
        environment = {
            "FRAUDSTREAM_BROKER": self._stack.broker,
            "FRAUDSTREAM_REDIS": self._stack.redis_url,
            "FRAUDSTREAM_DATA": str(self._folder),
        }
        return self._round(Worker.fraudstream(options, environment, self._folder / "ours.log"), topics, events)

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
        messages = self._workload.messages

        def work() -> None:
            traffic.send(messages[WARM_UP : WARM_UP + events])
            traffic.receive(worker, events)

        with Traffic(self._stack.broker, topics) as traffic, worker:
            traffic.send(messages[:WARM_UP])
            traffic.receive(worker, WARM_UP)
            time.sleep(1)
            return worker.measured(events, work)


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
