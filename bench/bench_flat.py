"""CPU seconds a million events over one run of a real worker, the last million beside the first.

The traffic is of many cards, sent as fast as the broker takes it; their past, as skewed as that, is in the checkpoint
that the worker starts on. Whatever grows with what has been scored (state, logs, acknowledgements, buffers) shows as a
slope. The windows are full when the first million begins: thirty days lie behind it, and a card goes on as before.

A machine that is shared becomes slower and faster by more than any slope. So before the first million and after each of
them the worker takes turns with a second one of the same cards, in rounds of a second that follow upon each other: the
ratio of their CPU times is the worker's age alone, and only it may not grow. Beside it stands how many transactions a
batch had, since a batch costs something of its own: a worker that lags takes larger ones. With more than one number of
cards their workers take turns, and the throughput of the larger is beside the smaller's. Of each topic the bytes that
an event takes on the broker.
"""

import argparse
import json
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bench.bench_state import sample
from bench.broker_side import BrokerSide
from bench.card_population import CardPopulation
from bench.peer import REDIS_PREFIX
from bench.stocked_worker import PARTITIONS, StockedWorker
from bench.traffic import Traffic
from bench.worker import Round, Worker
from bench.workload import Workload, promote_model
from stream_app.stack.local_stack import LocalStack

WARM_UP: Final = 100_000
PAIRS: Final = 5
PAIR_SHARE: Final = 25
"""One in so many of a round's events is scored by each of a pair."""
CHUNK: Final = 100_000
"""Events in flight at most: more would lie in the sender's memory."""


@dataclass(frozen=True, slots=True)
class Million:
    """What one of the rounds took; `rows_per_batch` transactions were scored at once on average."""

    round: Round
    rows_per_batch: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What all workers share."""

    stack: LocalStack
    folder: Path
    templates: list[bytes]


class Run:
    """One worker with its cards and its topics."""

    def __init__(self, bench: Bench, cards: int, name: str, entered: ExitStack) -> None:
        stocked = StockedWorker(bench.stack, bench.folder, f"{name}{cards}.")
        self._population = CardPopulation(cards, bench.templates, PARTITIONS)
        stocked.stock(self._population, skewed=True)
        self._broker = BrokerSide(bench.stack, stocked.topics, PARTITIONS)
        self._traffic = entered.enter_context(Traffic(bench.stack.broker, stocked.topics))
        self._worker: Worker = entered.enter_context(stocked.worker())
        self._sent = 0
        self.measured(WARM_UP)

    def measured(self, events: int) -> Million:
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

        before = self._broker.batches()
        measured = self._worker.measured(events, work)
        return Million(measured, events / (self._broker.batches() - before))

    def bytes_per_event(self) -> dict[str, float]:
        """What an event takes on the broker, by topic, as written: one copy, nothing deleted yet."""
        return {name: stored / self._sent for name, stored in self._broker.stored_bytes().items()}


def over(run: Run, reference: Run, events: int) -> float:
    """CPU time of one worker over that of another: the median of pairs of rounds of so many events, in turn."""
    pairs = []
    for number in range(PAIRS):
        order = (run, reference) if number % 2 else (reference, run)
        taken = {one: 1 / one.measured(events).round.events_per_cpu_s for one in order}
        pairs.append(taken[run] / taken[reference])
    return statistics.median(pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, nargs="+", default=[100_000])
    parser.add_argument("--millions", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="tenths of millions instead")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    events = 100_000 if arguments.short else 1_000_000
    templates = [value for _, value in Workload.simulated(50_000).messages]
    rounds: dict[int, list[Million]] = {cards: [] for cards in arguments.cards}
    ratios: dict[int, list[float]] = {cards: [] for cards in arguments.cards}
    with ExitStack() as entered:
        folder = Path(entered.enter_context(tempfile.TemporaryDirectory()))
        stack = entered.enter_context(LocalStack(folder / "stack"))
        promote_model(stack.redis_url, REDIS_PREFIX, folder, sample(templates))
        bench = Bench(stack, folder, templates)
        references = {cards: Run(bench, cards, "reference", entered) for cards in arguments.cards}
        runs = {cards: Run(bench, cards, "cards", entered) for cards in arguments.cards}
        for number in range(arguments.millions + 1):
            for cards, run in runs.items():
                if number:
                    rounds[cards].append(run.measured(events))
                ratios[cards].append(over(run, references[cards], events // PAIR_SHARE))
                _say(f"{cards:,} cards: {rounds[cards][-1:]}, over the second worker {ratios[cards][-1]:.3f}")
        sizes = {cards: run.bytes_per_event() for cards, run in runs.items()}
    found = {str(cards): _figures(measured, ratios[cards], sizes[cards]) for cards, measured in rounds.items()}
    print(json.dumps(found) if arguments.json else _text(found))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _figures(millions: list[Million], ratios: list[float], sizes: dict[str, float]) -> dict[str, Any]:
    rounds = [one.round for one in millions]
    cpu = [1e6 / one.events_per_cpu_s for one in rounds]
    return {
        "rounds": [asdict(one) for one in rounds],
        "rows_per_batch": [one.rows_per_batch for one in millions],
        "cpu_s_per_million": cpu,
        "last_over_first": cpu[-1] / cpu[0],
        "over_second_worker": ratios,
        "growth": ratios[-1] / ratios[1],  # since the first million
        "events_per_s": statistics.median(one.events_per_s for one in rounds),
        "events_per_cpu_s": statistics.median(one.events_per_cpu_s for one in rounds),
        "broker_bytes_per_event": sizes,
    }


def _text(found: dict[str, Any]) -> str:
    lines = []
    for cards, row in found.items():
        cpu = ", ".join(f"{one:.1f}" for one in row["cpu_s_per_million"])
        memory = [round(one["memory_mb"]) for one in row["rounds"]]
        over_second = ", ".join(f"{one:.2f}" for one in row["over_second_worker"])
        sizes = ", ".join(f"{name} {size:,.0f}" for name, size in row["broker_bytes_per_event"].items())
        lines += [
            f"{int(cards):,} cards: CPU s a million events, round by round: {cpu}",
            f"  over a second worker, at first and after each: {over_second}",
            f"  since the first million {row['growth'] - 1:+.1%}; last million over first {row['last_over_first']:.2f}",
            "  transactions a batch " + ", ".join(f"{one:,.0f}" for one in row["rows_per_batch"]),
            f"  memory {memory[0]:,} to {memory[-1]:,} MB",
            f"  {row['events_per_s']:,.0f} events/s, {row['events_per_cpu_s']:,.0f} a CPU s",
            f"  bytes an event on the broker: {sizes}",
        ]
    first, last = next(iter(found.values())), list(found.values())[-1]
    if len(found) > 1:
        ratios = [last[key] / first[key] for key in ("events_per_s", "events_per_cpu_s")]
        lines.append(f"most cards over fewest: events/s {ratios[0]:.2f}, events a CPU s {ratios[1]:.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
