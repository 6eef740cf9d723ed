"""One round of throughput: all events sent as fast as the broker takes them, until the last score has been received."""

import time
from collections.abc import Sequence
from typing import Final

from bench.peer import Peer
from bench.stage import Stage
from bench.traffic import Traffic
from bench.worker import Round

SLICE: Final = 100_000
SETTLE_S: Final = 1.0
"""Behind each slice of a warm-up: just-in-time compilers get little done while all cores are busy."""


def throughput(stage: Stage, peer: Peer, messages: Sequence[tuple[bytes, bytes]], warm_up: int) -> Round:
    """Measure one peer, with its process started and warm.

    Parameters
    ----------
    stage: broker and model.
    peer: who scores.
    messages: key and value of all that it is given.
    warm_up: how many of them come first and do not count.
    """
    events = len(messages) - warm_up

    def work() -> None:
        traffic.send(messages[warm_up:])
        traffic.receive(worker, events)

    with stage.place() as place, Traffic(place.broker, place.topics) as traffic, peer.start(place) as worker:
        for start in range(0, warm_up, SLICE):
            end = min(start + SLICE, warm_up)
            traffic.send(messages[start:end])
            traffic.receive(worker, end - start)
            time.sleep(SETTLE_S)
        return worker.measured(events, work)
