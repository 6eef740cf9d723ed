"""One round of throughput: all events sent as fast as the broker takes them, until the last score has been received."""

import time

from bench.peer import Peer
from bench.stage import Stage
from bench.traffic import Traffic
from bench.worker import Round
from bench.workload import Workload


def throughput(stage: Stage, peer: Peer, workload: Workload, events: int) -> Round:
    """Measure one peer, with its process started and warm.

    Parameters
    ----------
    stage: broker and model.
    peer: who scores.
    workload: at least the peer's warm-up and `events` messages.
    events: that count.
    """
    messages = workload.messages[: peer.warm_up + events]
    assert len(messages) == peer.warm_up + events

    def work() -> None:
        traffic.send(messages[peer.warm_up :])
        traffic.receive(worker, events)

    with stage.place() as place, Traffic(place.broker, place.topics) as traffic, peer.start(place) as worker:
        traffic.send(messages[: peer.warm_up])
        traffic.receive(worker, peer.warm_up)
        time.sleep(1)
        return worker.measured(events, work)
