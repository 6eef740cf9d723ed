"""End to end on a real broker: throughput, CPU, memory, latency and hot swap, beside what a user would pick instead.

All do the same job (bench/peers/job.py), but for the raw aiokafka loop: it decodes each transaction and writes a score
that nobody computed, which is as fast as a Python worker can be. Broker, sender, reader and the one worker share the
machine; rounds of all kinds take turns. The broker is warm before anything is counted.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from typing import Final

from bench.end_to_end_report import Rounds
from bench.latency import SETTLE_S, WARM_UP_RATE, WARM_UP_S, latencies
from bench.machine import machine
from bench.paced_sender import PacedSender
from bench.peer import REDIS_PREFIX, Peer
from bench.peers.catalogue import FLOOR, OURS, PEERS
from bench.stage import Stage, raised_stage
from bench.swap import EVERY_S, RATE, hot_swaps
from bench.throughput import throughput
from bench.workload import Workload, train_model
from models.registry import Registry

PARTS: Final = ("throughput", "latency", "swap")
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
        most = max((peer.warm_up + self._events(peer) for peer in peers), default=0)
        paced = sum(int(rate * (SETTLE_S + arguments.seconds)) for rate in {r for p in peers for r in p.rates})
        swapped = int((2 * SETTLE_S + SWAPS * EVERY_S) * RATE)
        self._workload = Workload.simulated(max(most, paced + WARM_UP_RATE * WARM_UP_S, swapped))
        self._sender = PacedSender(stage.stack.broker, self._workload.messages, stage.folder)

    def run(self) -> None:
        """Warm the broker up, then all rounds."""
        floor = next(peer for peer in PEERS if peer.name == FLOOR)
        with self._sender:
            _say("warming up")
            throughput(self._stage, floor, self._workload, len(self._workload.messages) - floor.warm_up)
            versions = self._versions() if "swap" in self._arguments.parts else []
            for number in range(self._arguments.rounds):
                self._round(number + 1, versions)

    def _round(self, number: int, versions: list[str]) -> None:
        for part in self._arguments.parts:
            for peer in self._peers:
                _say(f"round {number}, {part}: {peer.name}")
                if part == "throughput":
                    measured = throughput(self._stage, peer, self._workload, self._events(peer))
                    self.rounds.throughput.setdefault(peer.name, []).append(measured)
                elif part == "latency" and peer.rates:
                    found = latencies(
                        self._stage, peer, self._sender, self._workload, peer.rates, self._arguments.seconds
                    )
                    for rate, percentiles in found.items():
                        self.rounds.latency.setdefault(rate, {}).setdefault(peer.name, []).append(percentiles)
                elif part == "swap" and peer.name == OURS:
                    self.rounds.swaps.append(hot_swaps(self._stage, peer, self._sender, self._workload, versions))

    def _events(self, peer: Peer) -> int:
        return max(1, int(peer.events * self._arguments.share))

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
    parser.add_argument("--share", type=float, default=1.0, help="of the events of a round of throughput")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--peers", nargs="+", choices=[peer.name for peer in PEERS], help="all by default")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    peers = [peer for peer in PEERS if arguments.peers is None or peer.name in arguments.peers]
    about = machine()
    with raised_stage() as stage:
        bench = Bench(stage, peers, arguments)
        bench.run()
    if arguments.json:
        print(json.dumps({**bench.rounds.figures(), "machine": about}))
        return
    print("\n".join(bench.rounds.table()))
    print(f"\nmedians of {arguments.rounds} interleaved rounds; " + ", ".join(f"{k} {v}" for k, v in about.items()))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
