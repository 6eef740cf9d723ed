"""Events per second of one scoring worker on a real broker, beside a naive Faust agent that does the same work.

Worker, broker, producer and reader share the machine. A round warms the worker up, then sends all events as fast as
the broker takes them, and ends when the reader has received the last score; rounds of both kinds take turns.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from bench.scoring_rounds import REDIS_PREFIX, ScoringRounds
from bench.worker import Round, Worker
from bench.workload import Workload, promote_model
from models.schema.topics import TopicNames
from stream_app.stack.local_stack import LocalStack

WARM_UP = 5_000


class NaiveAgent:
    """Starts the naive agent on a stack."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder

    def worker(self, topics: TopicNames) -> Worker:
        """One that scores these topics."""
        environment = {
            "BROKER": self._stack.broker,
            "REDIS": self._stack.redis_url,
            "REDIS_PREFIX": REDIS_PREFIX,
            "SIGNERS": str(self._folder / "allowed-signers"),
            "TOPIC_PREFIX": topics.prefix,
            "DATADIR": str(self._folder / "naive"),
        }
        return Worker.module("bench.peers.naive_faust", environment, self._folder / "naive.log")


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
        bench, naive = ScoringRounds(stack, folder, workload, WARM_UP), NaiveAgent(stack, folder)
        rounds: dict[str, list[Round]] = {"fraudstream": [], "naive Faust": []}
        for _ in range(arguments.rounds):
            rounds["naive Faust"].append(bench.of(naive.worker, arguments.naive_events))
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
