"""All that are measured end to end: this project's worker, and what a user would pick instead."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Final

from bench.peer import RATES, Peer, Place, scoring_worker
from bench.peers.environment import peers_python
from bench.peers.jvm import Mode, built_jars, kafka_streams_worker
from bench.worker import Worker

OURS: Final = "fraudstream"
FLOOR: Final = "raw aiokafka loop"


def _module(name: str, *arguments: str) -> Callable[[Place], Worker]:
    """A peer in this project's environment."""

    def start(place: Place) -> Worker:
        return Worker(
            [sys.executable, "-m", f"bench.peers.{name}", *arguments], place.environment, place.folder / f"{name}.log"
        )

    return start


def _apart(*command: str) -> Callable[[Place], Worker]:
    """A peer in the peers' environment."""

    def start(place: Place) -> Worker:
        log = place.folder / f"{command[-1].partition(':')[0]}.log"
        return Worker([str(peers_python()), "-m", *command], place.environment, log)

    return start


def _jvm(name: str, mode: Mode) -> Peer:
    """A mode of the Kafka Streams app; its warm-up is for the JVM's compilers."""
    start = partial(kafka_streams_worker, mode)
    return Peer(name, start, 300_000, 500_000, rates=RATES, durable=mode != "memory", install=built_jars)


PEERS: Final = (
    Peer(OURS, scoring_worker, 400_000, rates=RATES, durable=True),
    Peer(FLOOR, _module("raw_aiokafka"), 600_000, rates=RATES),
    _jvm("Kafka Streams, in memory", "memory"),
    _jvm("Kafka Streams, durable", "durable"),
    _jvm("Kafka Streams, exactly once", "exactly-once"),
    Peer("confluent-kafka loop, ONNX", _module("confluent_loop"), 300_000, rates=RATES),
    Peer(
        "Bytewax, ONNX",
        _apart("bytewax.run", "bench.peers.bytewax_flow:flow"),
        100_000,
        rates=RATES[:2],
        install=peers_python,
    ),
    Peer(
        "Quix Streams, ONNX", _apart("bench.peers.quix_streams"), 16_000, 2_000, rates=RATES[:1], install=peers_python
    ),
    Peer("naive Faust, ONNX", _module("naive_faust", "onnx"), 6_000, 1_000),
    Peer("naive Faust, predict_proba", _module("naive_faust", "predict_proba"), 2_000, 400),
)
"""The slow ones get fewer events."""


def named(name: str) -> Peer:
    """Return the one of a name."""
    return next(peer for peer in PEERS if peer.name == name)
