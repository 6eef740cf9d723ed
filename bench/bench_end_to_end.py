"""End to end on a real broker: throughput, CPU, memory, latency and hot swap, beside what a user would pick instead.

All do the same job (bench/peers/job.py), but for the raw aiokafka loop: it decodes each transaction and writes a score
that nobody computed, which is as fast as a Python worker can be. Broker, sender, reader and the one worker share the
machine; rounds of all kinds take turns. The broker is warm before anything is counted.

Those whose state outlives their process are measured with a history as well: thirty transactions of each card before
what counts. `python -m bench.performance_page` makes docs/performance.md of the JSON.
"""

import argparse
import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from bench.end_to_end_report import Rounds
from bench.history import EVENTS, LONGEST, OTHERS, PastCards
from bench.latency import SETTLE_S, latencies, warm_up_s
from bench.machine import machine
from bench.paced_sender import PacedSender
from bench.peer import REDIS_PREFIX, Peer
from bench.peers.catalogue import FLOOR, OURS, PEERS, named
from bench.stage import Stage, raised_stage
from bench.swap import EVERY_S, RATE, hot_swaps
from bench.throughput import throughput
from bench.workload import Workload, train_model
from models.errors import FraudstreamError
from models.registry import Registry

PARTS: Final = ("throughput", "latency", "swap", "history")
WARM_UP: Final = 600_000
"""Events for the broker before all rounds."""
SWAPS: Final = 6
"""In a round, two of them to each of three models."""


class Bench:
    """One stage, any number of rounds.

    Parameters
    ----------
    stage: broker and model.
    peers: who is measured.
    arguments: of the command.
    """

    def __init__(self, stage: Stage, peers: Sequence[Peer], arguments: argparse.Namespace) -> None:
        self._stage, self._peers, self._arguments = stage, peers, arguments
        self.rounds = Rounds()
        most = {
            "throughput": max((peer.warm_up + self._count(peer.events) for peer in peers), default=0),
            "latency": max((int(self._paced_events(peer)) for peer in peers if peer.rates), default=0),
            "swap": int((2 * SETTLE_S + SWAPS * EVERY_S) * RATE),
            "history": max(OTHERS, LONGEST + self._count(EVENTS)),
        }
        self._workload = Workload.simulated(max(WARM_UP, *(most[part] for part in arguments.parts)))
        paced = self._workload.messages[: max(most["latency"], most["swap"])]
        self._sender = PacedSender(stage.stack.broker, paced, stage.folder)
        if "history" in arguments.parts:
            self._past = PastCards.of(self._workload, self._count(EVENTS))

    def run(self) -> None:
        """Warm the broker up, then all rounds, each of which begins with another peer."""
        floor = named(FLOOR)
        with self._sender:
            _say("warming up")
            throughput(self._stage, floor, self._workload.messages[:WARM_UP], floor.warm_up)
            versions = self._versions() if "swap" in self._arguments.parts else []
            for number in range(self._arguments.rounds):
                first = number % len(self._peers)
                self._round(number + 1, [*self._peers[first:], *self._peers[:first]], versions)

    def _round(self, number: int, peers: Sequence[Peer], versions: list[str]) -> None:
        for part in self._arguments.parts:
            for peer in peers:
                if part == "throughput":
                    _say(f"round {number}, throughput: {peer.name}")
                    messages = self._workload.messages[: peer.warm_up + self._count(peer.events)]
                    measured = throughput(self._stage, peer, messages, peer.warm_up)
                    self.rounds.throughput.setdefault(peer.name, []).append(measured)
                elif part == "history" and peer.durable:
                    _say(f"round {number}, with a history: {peer.name}")
                    measured = throughput(self._stage, peer, self._past.messages, self._past.warm_up)
                    self.rounds.history.setdefault(peer.name, []).append(measured)
                elif part == "latency" and peer.rates:
                    _say(f"round {number}, latency: {peer.name}")
                    found = latencies(self._stage, peer, self._sender, self._workload, self._arguments.seconds)
                    for rate, percentiles in found.items():
                        self.rounds.latency.setdefault(rate, {}).setdefault(peer.name, []).append(percentiles)
                elif part == "swap" and peer.name == OURS:
                    _say(f"round {number}, swaps")
                    self.rounds.swaps.append(hot_swaps(self._stage, peer, self._sender, self._workload, versions))

    def _count(self, events: int) -> int:
        return max(1, int(events * self._arguments.share))

    def _paced_events(self, peer: Peer) -> float:
        counted: float = sum(rate * (SETTLE_S + self._arguments.seconds) for rate in peer.rates)
        return max(peer.rates) * warm_up_s(peer) + counted

    def _versions(self) -> list[str]:
        """Three models in turn: what two aliases name stays loaded, so the third is always a new one."""
        registry = Registry(self._stage.stack.redis_url, REDIS_PREFIX)
        others = [train_model(self._stage.folder, learning_rate=rate)[0] for rate in (0.06, 0.07)]
        names = [registry.put(bundle) for bundle in others]
        return list(itertools.islice(itertools.cycle([*names, self._stage.champion.version]), SWAPS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=10.0, help="of latency that count at each rate")
    parser.add_argument("--share", type=float, default=1.0, help="of the events of a round")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="all by default")
    parser.add_argument("--peers", nargs="+", choices=[peer.name for peer in PEERS], help="all by default")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    chosen = [peer for peer in PEERS if arguments.peers is None or peer.name in arguments.peers]
    peers = [peer for peer in chosen if _installed(peer)]
    about = machine()
    with raised_stage() as stage:
        bench = Bench(stage, peers, arguments)
        bench.run()
    if arguments.json:
        print(json.dumps({**bench.rounds.figures(), "machine": about}))
        return
    print("\n".join(bench.rounds.table()))
    print(f"\nmedians of {arguments.rounds} interleaved rounds; " + ", ".join(f"{k} {v}" for k, v in about.items()))


def _installed(peer: Peer) -> bool:
    """Whether it can be measured; if not, one line says why, and the others are."""
    try:
        peer.install()
    except (FraudstreamError, subprocess.SubprocessError) as error:
        _say(f"left out: {peer.name}: {error}")
        return False
    return True


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
