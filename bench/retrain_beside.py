"""A retrain and a worker that is given all it can score, on the same cores: what each costs the other."""

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bench.peers.catalogue import OURS, named
from bench.stage import raised_stage
from bench.throughput import throughput
from bench.workload import Workload

ROUNDS_ALONE: Final = 2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Beside(Generic[T]):
    """What was found.

    Attributes
    ----------
    outcome: of what ran beside the worker.
    alone, beside: events per second of each round without and with it.
    """

    outcome: T
    alone: list[float]
    beside: list[float]

    @property
    def kept(self) -> float:
        """Share of its throughput that the worker keeps."""
        return statistics.median(self.beside) / statistics.median(self.alone)


def beside_a_worker(work: Callable[[], T]) -> Beside[T]:
    """Measure rounds of throughput alone, then as many as the work lasts; one that outlasts it does not count."""
    peer = named(OURS)
    messages = Workload.simulated(peer.warm_up + peer.events).messages
    with raised_stage() as stage, ThreadPoolExecutor(1) as pool:
        alone = [throughput(stage, peer, messages, peer.warm_up).events_per_s for _ in range(1 + ROUNDS_ALONE)][1:]
        working, beside = pool.submit(work), list[float]()
        while not working.done():
            measured = throughput(stage, peer, messages, peer.warm_up).events_per_s
            if not working.done() or not beside:
                beside.append(measured)
        return Beside(working.result(), alone, beside)
