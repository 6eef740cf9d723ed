"""Two, four and eight partitions, one and two workers: events a second, and CPU microseconds an event.

All share this machine's cores with the broker, the sender and the reader: a second worker has no cores of its own here,
so events a second cannot double. What carries over to more machines is the CPU time of an event, the worker's and the
broker's, and that it stays the same however the partitions are shared out. With more partitions a poll brings fewer
transactions of each, so the batches stand beside it. Rounds of all combinations take turns.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from bench.broker_side import BrokerSide
from bench.machine import machine
from bench.stage import Stage, raised_stage
from bench.traffic import Traffic
from bench.worker_group import WorkerGroup
from bench.workload import Workload

WARM_UP: Final = 10_000
BROKER_WARM_UP: Final = 400_000
"""Events until the broker's code is compiled: before, an event costs it four times as much."""
SETTLE_S: Final = 1.0


@dataclass(frozen=True, slots=True, order=True)
class Sharing:
    """How many workers share how many partitions."""

    partitions: int
    workers: int

    def __str__(self) -> str:
        return f"{self.partitions}x{self.workers}"


@dataclass(frozen=True, slots=True)
class Shared:
    """What one round measured.

    Attributes
    ----------
    events_per_s: of all workers together.
    worker_us, broker_us: CPU microseconds an event, of all workers and of the broker.
    rows_per_batch: transactions that were scored at once on average.
    worker_mb: resident memory of one worker.
    """

    events_per_s: float
    worker_us: float
    broker_us: float
    rows_per_batch: float
    worker_mb: float


def measured(stage: Stage, sharing: Sharing, workload: Workload, events: int) -> Shared:
    """One round with workers that are started, have their partitions, and are warm."""
    with (
        stage.place(sharing.partitions) as place,
        Traffic(place.broker, place.topics) as traffic,
        WorkerGroup(place, sharing.workers, sharing.partitions) as group,
    ):
        broker, lookout = BrokerSide(stage.stack, place.topics, sharing.partitions), group.workers[0]
        traffic.send(workload.messages[:WARM_UP])
        traffic.receive(lookout, WARM_UP)
        time.sleep(SETTLE_S)
        batches, worker_s, broker_s = broker.batches(), group.cpu_s(), broker.cpu_s()
        began_s = time.perf_counter()
        traffic.send(workload.messages[WARM_UP : WARM_UP + events])
        traffic.receive(lookout, events)
        took_s = time.perf_counter() - began_s
        worker_s, broker_s = group.cpu_s() - worker_s, broker.cpu_s() - broker_s
        return Shared(
            events / took_s,
            worker_s / events * 1e6,
            broker_s / events * 1e6,
            events / (broker.batches() - batches),
            group.memory_bytes() / sharing.workers / 1e6,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partitions", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--events", type=int, default=150_000, help="a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    sharings = [Sharing(*one) for one in itertools.product(arguments.partitions, arguments.workers)]
    workload = Workload.simulated(WARM_UP + arguments.events)
    rounds: dict[Sharing, list[Shared]] = {sharing: [] for sharing in sharings}
    about, warmed = machine(), 0
    with raised_stage() as stage:
        while warmed < BROKER_WARM_UP:
            measured(stage, sharings[0], workload, arguments.events)
            warmed += arguments.events
        for _ in range(arguments.rounds):
            for sharing in sharings:
                rounds[sharing].append(measured(stage, sharing, workload, arguments.events))
                print(f"{sharing}: {rounds[sharing][-1]}", file=sys.stderr, flush=True)
    found = {str(sharing): _medians(several) for sharing, several in rounds.items()}
    print(json.dumps({"sharing": found, "machine": about}) if arguments.json else _text(found))


def _medians(rounds: Sequence[Shared]) -> dict[str, Any]:
    medians = {field.name: statistics.median(getattr(one, field.name) for one in rounds) for field in fields(Shared)}
    return {**medians, "rounds": [asdict(one) for one in rounds]}


def spread(rounds: Sequence[Mapping[str, float]]) -> str:
    """The least and the most CPU microseconds of the workers."""
    found = [one["worker_us"] for one in rounds]
    return f"{min(found):.0f} to {max(found):.0f}"


def _text(found: Mapping[str, Mapping[str, Any]]) -> str:
    titles = ("partitions x workers", "events/s", "worker us", "by round", "broker us", "a batch", "MB a worker")
    lines = ["".join(f"{title:>{max(13, len(title))}}" for title in titles)]
    lines += [
        f"{name:>{len(titles[0])}}{row['events_per_s']:>13,.0f}{row['worker_us']:>13.1f}{spread(row['rounds']):>13}"
        f"{row['broker_us']:>13.1f}{row['rows_per_batch']:>13,.0f}{row['worker_mb']:>13,.0f}"
        for name, row in found.items()
    ]
    return "\n".join([*lines, "CPU us an event; medians of interleaved rounds"])


if __name__ == "__main__":
    main()
