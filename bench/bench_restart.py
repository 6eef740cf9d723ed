"""Checkpoints against the number of cards: writing, the longest pause it makes, reading, and a worker's restart.

In this process: four partitions with thirty transactions of each card write a whole checkpoint and an increment while a
heartbeat on the same event loop notes how late it comes; beside it the same heartbeat while nothing is written. Then a
real worker is started on checkpoints of so many cards, from a cold process to the first score on the topic; beside it
the same start without any.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bench.card_population import CardPopulation
from bench.peer import REDIS_PREFIX
from bench.stocked_worker import PARTITIONS, StockedPartitions, StockedWorker
from bench.traffic import Traffic
from bench.workload import Workload, promote_model
from stream_app.stack.local_stack import LocalStack

CHANGED: Final = 100_000
"""Transactions between whole checkpoint and increment, of all partitions together."""
BEAT_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Written:
    """What one kind of checkpoint of all partitions took."""

    seconds: float
    megabytes: float
    longest_pause_ms: float


async def _beat(pauses: list[float]) -> None:
    while True:
        began_s = time.perf_counter()
        await asyncio.sleep(BEAT_S)
        pauses.append(time.perf_counter() - began_s - BEAT_S)


async def _quiet(seconds: float) -> float:
    pauses: list[float] = []
    beating = asyncio.create_task(_beat(pauses))
    await asyncio.sleep(seconds)
    beating.cancel()
    return max(pauses) * 1e3


def written(partitions: StockedPartitions) -> Written:
    """Write a checkpoint of all partitions beside a heartbeat."""

    async def write() -> Written:
        pauses: list[float] = []
        beating = asyncio.create_task(_beat(pauses))
        began_s = time.perf_counter()
        size = await partitions.write()
        took_s = time.perf_counter() - began_s
        beating.cancel()
        return Written(took_s, size / 1e6, max(pauses) * 1e3)

    return asyncio.run(write())


class Restarts:
    """Starts a real worker on what checkpoints there are."""

    def __init__(self, stack: LocalStack, folder: Path, templates: list[bytes]) -> None:
        self._stack = stack
        self._folder = folder
        self._templates = templates
        self._rounds = 0

    def measure(self, cards: int) -> dict[str, Any]:
        """Write checkpoints of so many cards, then start a worker on them."""
        self._rounds += 1
        one = StockedWorker(self._stack, self._folder, f"restart{self._rounds}.")
        population = CardPopulation(max(cards, 1_000), self._templates, PARTITIONS)
        figures: dict[str, Any] = {}
        if cards:
            partitions = one.partitions(population)
            figures = {"whole": asdict(written(partitions))}
            partitions.change(CHANGED, 1)
            figures["increment"] = asdict(written(partitions))
            began_s = time.perf_counter()
            assert partitions.read() == cards
            figures["read_s"] = time.perf_counter() - began_s
            partitions.forget_increments()
            del partitions
        with Traffic(self._stack.broker, one.topics) as traffic:
            traffic.send(population.traffic(2_000, 5))
            began_s = time.perf_counter()
            with one.worker() as worker:
                traffic.receive(worker, 1)
                figures["first_score_s"] = time.perf_counter() - began_s
                time.sleep(2)
                figures["worker_mb"] = worker.memory_bytes() / 1e6
        return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3, help="starts without cards, and with the most")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    templates = [value for _, value in Workload.simulated(20_000).messages]
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name, LocalStack(Path(name) / "stack") as stack:
        promote_model(stack.redis_url, REDIS_PREFIX, Path(name))
        restarts = Restarts(stack, Path(name), templates)
        restarts.measure(0)  # compiles what this release has never run
        for cards in [0, *arguments.cards]:
            several = arguments.rounds if cards in {0, max(arguments.cards)} else 1
            rounds = [restarts.measure(cards) for _ in range(several)]
            medians = {key: statistics.median(one[key] for one in rounds) for key in ("first_score_s", "worker_mb")}
            found[str(cards)] = {**rounds[0], **medians}
    found["0"]["quiet_pause_ms"] = asyncio.run(_quiet(2.0))
    print(json.dumps(found) if arguments.json else _text(found))


_TITLES: Final = (
    "whole MB", "s", "pause ms", "increment MB", "s", "pause ms", "read s", "first score s", "worker MB",
)  # fmt: skip


def _text(found: dict[str, dict[str, Any]]) -> str:
    lines = [
        f"longest pause of the event loop while nothing is written: {found['0']['quiet_pause_ms']:.1f} ms",
        " " * 10
        + "".join(f"{title:>{width}}" for title, width in zip(_TITLES, (10, 7, 10, 14, 7, 10, 8, 15, 11), strict=True)),
    ]
    for cards, row in found.items():
        written = "".join(
            f"{row[form]['megabytes']:>{width}.1f}{row[form]['seconds']:>7.2f}{row[form]['longest_pause_ms']:>10.1f}"
            if form in row
            else " " * (width + 17)
            for form, width in (("whole", 10), ("increment", 14))
        )
        read = f"{row['read_s']:>8.2f}" if "read_s" in row else " " * 8
        lines.append(f"{int(cards):>10,}{written}{read}{row['first_score_s']:>15.2f}{row['worker_mb']:>11,.0f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
