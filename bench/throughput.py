"""One round of throughput: all events sent as fast as the broker takes them, until the last score has been received."""

import time
from collections.abc import Sequence
from typing import Final

from bench.peer import Peer
from bench.stage import Stage
from bench.traffic import Traffic
from bench.worker import Round

SETTLE_S: Final = 1.0


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
        traffic.send(messages[:warm_up])
        traffic.receive(worker, warm_up)
        time.sleep(SETTLE_S)
        return worker.measured(events, work)
