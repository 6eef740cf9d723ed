"""CPU seconds a million events over one run of a real worker, the last million beside the first.

The traffic is of many cards, sent as fast as the broker takes it; their past, as skewed as that, is in the checkpoint
that the worker starts on. Whatever grows with what has been scored (state, logs, acknowledgements, buffers) shows as a
slope. With more than one number of cards their workers take turns, and the throughput of the larger is beside the
smaller's.
"""

import argparse
import json
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bench.bench_state import sample
from bench.card_population import CardPopulation
from bench.peer import REDIS_PREFIX
from bench.stocked_worker import PARTITIONS, StockedWorker
from bench.traffic import Traffic
from bench.worker import Round, Worker
from bench.workload import Workload, promote_model
from stream_app.stack.local_stack import LocalStack

WARM_UP: Final = 20_000
CHUNK: Final = 100_000
"""Events in flight at most: more would lie in the sender's memory."""


class Run:
    """One worker with its cards and its topics."""

    def __init__(self, stack: LocalStack, folder: Path, cards: int, templates: list[bytes], entered: ExitStack) -> None:
        stocked = StockedWorker(stack, folder, f"cards{cards}.")
        self._population = CardPopulation(cards, templates, PARTITIONS)
        stocked.stock(self._population, skewed=True)
        self._traffic = entered.enter_context(Traffic(stack.broker, stocked.topics))
        self._worker: Worker = entered.enter_context(stocked.worker())
        self._sent = 0
        self.measured(WARM_UP)

    def measured(self, events: int) -> Round:
        """Send so many events, each chunk when the one before the last is scored, and wait for all scores."""
        # What is sent is made before: the sender's work is not measured, but it would take the worker's core.
        chunks = []
        for start in range(0, events, CHUNK):
            size = min(CHUNK, events - start)
            chunks.append(list(self._population.traffic(size, self._sent, self._sent)))
            self._sent += size

        def work() -> None:
            waiting = 0
            for chunk in chunks:
                self._traffic.send(chunk)
                waiting += len(chunk)
                if waiting > len(chunk):
                    waiting -= self._traffic.receive(self._worker, waiting - len(chunk))
            self._traffic.receive(self._worker, waiting)

        return self._worker.measured(events, work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, nargs="+", default=[100_000])
    parser.add_argument("--millions", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="tenths of millions instead")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    events = 100_000 if arguments.short else 1_000_000
    templates = [value for _, value in Workload.simulated(50_000).messages]
    rounds: dict[int, list[Round]] = {cards: [] for cards in arguments.cards}
    with ExitStack() as entered:
        folder = Path(entered.enter_context(tempfile.TemporaryDirectory()))
        stack = entered.enter_context(LocalStack(folder / "stack"))
        promote_model(stack.redis_url, REDIS_PREFIX, folder, sample(templates))
        runs = {cards: Run(stack, folder, cards, templates, entered) for cards in arguments.cards}
        time.sleep(1)
        for _ in range(arguments.millions):
            for cards, run in runs.items():
                rounds[cards].append(run.measured(events))
    found = {str(cards): _figures(measured) for cards, measured in rounds.items()}
    print(json.dumps(found) if arguments.json else _text(found))


def _figures(rounds: list[Round]) -> dict[str, Any]:
    cpu = [1e6 / one.events_per_cpu_s for one in rounds]
    return {
        "rounds": [asdict(one) for one in rounds],
        "cpu_s_per_million": cpu,
        "last_over_first": cpu[-1] / cpu[0],
        "events_per_s": statistics.median(one.events_per_s for one in rounds),
        "events_per_cpu_s": statistics.median(one.events_per_cpu_s for one in rounds),
    }


def _text(found: dict[str, Any]) -> str:
    lines = []
    for cards, row in found.items():
        cpu = ", ".join(f"{one:.1f}" for one in row["cpu_s_per_million"])
        memory = [round(one["memory_mb"]) for one in row["rounds"]]
        lines += [
            f"{int(cards):,} cards: CPU s a million events, round by round: {cpu}",
            f"  last over first {row['last_over_first']:.2f}; memory {memory[0]:,} to {memory[-1]:,} MB",
            f"  {row['events_per_s']:,.0f} events/s, {row['events_per_cpu_s']:,.0f} a CPU s",
        ]
    first, last = next(iter(found.values())), list(found.values())[-1]
    if len(found) > 1:
        ratios = [last[key] / first[key] for key in ("events_per_s", "events_per_cpu_s")]
        lines.append(f"most cards over fewest: events/s {ratios[0]:.2f}, events a CPU s {ratios[1]:.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
