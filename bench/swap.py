"""Hot swaps at a fixed rate: the second in which one happens beside the seconds around it."""

import threading
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.arrivals import Arrivals
from bench.latency import SETTLE_S, Line
from bench.paced_sender import PacedSender
from bench.peer import REDIS_PREFIX, Peer
from bench.stage import PARTITIONS, Stage
from bench.workload import Workload
from models.registry import Registry
from models.schema.murmur2 import murmur2_partitions

RATE: Final = 5_000
EVERY_S: Final = 3.0
SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Swaps:
    """What some swaps in one round did.

    Attributes
    ----------
    swaps: how many took place.
    p99_ms: latency in the seconds that begin with a promotion.
    p99_around_ms: in all others.
    took_ms: from a promotion to the first score by the promoted model, the longest.
    gap_ms: longest time without a score of a partition, in the seconds of a swap.
    gap_around_ms: in all others.
    """

    swaps: int
    p99_ms: float
    p99_around_ms: float
    took_ms: float
    gap_ms: float
    gap_around_ms: float

    @property
    def ratio(self) -> float:
        """How much longer the latency is in the second of a swap."""
        return self.p99_ms / self.p99_around_ms


class Promotions(threading.Thread):
    """Promotes one of two models after the other; each is loaded anew, since what no alias names is forgotten.

    Parameters
    ----------
    registry: where.
    versions: in the order in which they are promoted.

    Attributes
    ----------
    at: when each was, ns of the monotonic clock.
    """

    def __init__(self, registry: Registry, versions: list[str]) -> None:
        super().__init__(daemon=True)
        self._registry, self._versions = registry, versions
        self.at: list[int] = []

    def run(self) -> None:
        """Promote them all."""
        began = time.monotonic() + SETTLE_S
        for number, version in enumerate(self._versions):
            time.sleep(max(0.0, began + number * EVERY_S - time.monotonic()))
            self.at.append(time.monotonic_ns())
            self._registry.promote(version, "bench", "hot swap")


def hot_swaps(stage: Stage, peer: Peer, sender: PacedSender, workload: Workload, versions: list[str]) -> Swaps:
    """Swap to each version in turn while transactions flow."""
    registry = Registry(stage.stack.redis_url, REDIS_PREFIX)
    with (
        stage.place() as place,
        Arrivals(place.broker, place.topics) as arrivals,
        peer.start(place) as worker,
    ):
        line = Line(sender, arrivals, worker, workload, place.topics.transactions)
        line.run(RATE, SETTLE_S)
        promotions = Promotions(registry, versions)
        promotions.start()
        count = int((SETTLE_S + EVERY_S * len(versions)) * RATE)
        due, arrived, deciders = line.run(RATE, count / RATE)
        promotions.join()
    keys = [key for key, _ in workload.messages[int(SETTLE_S * RATE) :][:count]]
    return _swaps(due, arrived, deciders, promotions.at, versions, murmur2_partitions(keys, PARTITIONS))


def _swaps(
    due: NDArray[np.int64],
    arrived: NDArray[np.int64],
    deciders: list[str],
    promoted: list[int],
    versions: list[str],
    partitions: NDArray[np.int32],
) -> Swaps:
    latency_ms, took = (arrived - due) / 1e6, []
    inside = np.zeros(len(due), np.bool_)
    for at, version in zip(promoted, versions, strict=True):
        inside |= (due >= at) & (due < at + SECOND_NS)
        first = next(
            (int(came) for came, decider in zip(arrived, deciders, strict=True) if came > at and decider == version),
            None,
        )
        if first is None:
            raise RuntimeError(f"{version} was promoted and never scored")
        took.append((first - at) / 1e6)
    counted = due >= due[0] + int(SETTLE_S * SECOND_NS) // 2
    gaps, around = _gaps(arrived, inside & counted, partitions), _gaps(arrived, ~inside & counted, partitions)
    return Swaps(
        len(versions),
        float(np.percentile(latency_ms[inside], 99)),
        float(np.percentile(latency_ms[~inside & counted], 99)),
        max(took),
        gaps,
        around,
    )


def _gaps(arrived: NDArray[np.int64], rows: NDArray[np.bool_], partitions: NDArray[np.int32]) -> float:
    """Longest time between a score of a partition among some rows and the one before it, ms."""
    longest = 0
    for partition in range(PARTITIONS):
        mine = np.flatnonzero(partitions == partition)
        steps = np.diff(arrived[mine], prepend=arrived[mine[0]])
        longest = max(longest, int(steps[rows[mine]].max(initial=0)))
    return longest / 1e6
