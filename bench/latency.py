"""End-to-end latency of one peer at fixed rates: from the moment a transaction is due to its score's receipt.

Sender and receiver read the same clock. A transaction counts from when it was due, not from when the sender got to it:
what waits because the machine is busy has waited. Broker time stamps would be whole milliseconds, and leave out the
way to the reader. Before each rate everything written so far is on the disk: the kernel writes back what is thirty
seconds old in one burst, which takes a core for half a second, and would fall into the rate that happens to run then.
"""

import os
import time
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bench.arrivals import Arrivals
from bench.paced_sender import Order, PacedSender
from bench.peer import Peer
from bench.stage import Stage
from bench.worker import Worker
from bench.workload import Workload

SETTLE_S: Final = 2.0
"""At the start of each rate, not counted."""
WARM_UP_S: Final = 3
"""At the highest rate before all that counts, longer for a peer whose warm-up takes more events."""


class Percentiles(NamedTuple):
    """Of some latencies, ms."""

    p50: float
    p99: float
    p999: float

    @classmethod
    def of(cls, latency_ms: NDArray[np.float64]) -> Self:
        """Of all of them."""
        return cls(*np.percentile(latency_ms, (50, 99, 99.9)).tolist())


def warm_up_s(peer: Peer) -> float:
    """How long a peer is warmed up at its highest rate."""
    return max(WARM_UP_S, peer.warm_up / max(peer.rates))


class Line:
    """Sender, worker and receiver of one round."""

    def __init__(self, sender: PacedSender, arrivals: Arrivals, worker: Worker, workload: Workload, topic: str) -> None:
        self._sender, self._arrivals, self._worker, self._topic = sender, arrivals, worker, topic
        self._keys = [key for key, _ in workload.messages]
        self._sent = 0

    def run(self, rate: int, seconds: float) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
        """Send at a rate; return when each transaction was due and its score came, ns, and the models' versions."""
        count = int(rate * seconds)
        order = Order(self._topic, self._sent, count, rate)
        assert order.first + count <= len(self._keys)
        began = self._sender.begin(order)
        try:
            arrived = self._arrivals.receive(self._worker, self._keys[order.first : order.first + count])
        finally:
            self._sender.finish()
        self._sent += count
        return began + np.arange(count) * 1_000_000_000 // rate, arrived, self._arrivals.versions


def latencies(
    stage: Stage, peer: Peer, sender: PacedSender, workload: Workload, seconds: float
) -> dict[int, Percentiles]:
    """Measure one peer at its rates, one after the other, in one life of its process."""
    found = {}
    with (
        stage.place() as place,
        Arrivals(place.broker, place.topics) as arrivals,
        peer.start(place) as worker,
    ):
        line = Line(sender, arrivals, worker, workload, place.topics.transactions)
        line.run(max(peer.rates), warm_up_s(peer))
        time.sleep(1)
        for rate in peer.rates:
            os.sync()
            due, arrived, _ = line.run(rate, SETTLE_S + seconds)
            found[rate] = Percentiles.of((arrived - due)[int(rate * SETTLE_S) :] / 1e6)
    return found
