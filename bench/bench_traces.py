"""Traces: CPU per transaction of scoring what a poll brings, traced to a receiver on loopback, beside not traced."""

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from opentelemetry.trace import SpanKind

from bench.hot_path import HotPath, in_turn, run
from bench.scored_batch import CURRENCY, fresh_lane, record_batches, trained_model
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from stream_app.scoring.joint_scoring import JointScoring
from stream_app.scoring.lane import Lane
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.record_batch import RecordBatch
from stream_app.telemetry.trace_export import exporting_provider
from stream_app.telemetry.traces import begin_traces, messaging, span
from tests.support.otlp_receiver import receiving

SIZES: Final = {20: 150, 500: 20}
"""Batches in a round, by their size: what a poll brings at 2,000 and at 50,000 events a second."""


def measure(rounds: int) -> Iterator[HotPath]:
    with tempfile.TemporaryDirectory() as folder:
        lineup = Lineup(trained_model(Path(folder)))
    with _receiver_elsewhere() as arrived:
        provider = exporting_provider("score")
        for size, count in SIZES.items():
            batches = record_batches(size * count * rounds, size)
            cut = [batches[at : at + count] for at in range(0, len(batches), count)]
            scoring, traced, alone = _scoring(), fresh_lane(), fresh_lane()

            def score(batch: RecordBatch, lane: Lane, scoring: JointScoring = scoring) -> None:
                attributes = messaging("process", "transactions", count=len(batch.offsets), group="bench")
                with span("process transactions", SpanKind.CONSUMER, attributes=attributes):
                    (scored,) = scoring.score([(lane, batch)], lineup, stale=False, now_ms=1)
                    scoring.log([(lane, scored)])

            def with_traces(batch: RecordBatch, lane: Lane = traced) -> None:
                begin_traces(provider)
                score(batch, lane)

            def without(batch: RecordBatch, lane: Lane = alone) -> None:
                begin_traces(None)
                score(batch, lane)

            name = f"traced, batch of {size}"
            yield in_turn(name, with_traces, cut, "not traced", without, cut, events=_rows)
        begin_traces(None)
        provider.shutdown()
        assert arrived(), "nothing has arrived"


@contextmanager
def _receiver_elsewhere() -> Iterator[Callable[[], int]]:
    """Receive in a process of its own, whose work is not the worker's, and say at the end how many spans came."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    receiver = context.Process(target=_receive, args=(there,), daemon=True)
    receiver.start()
    os.environ |= here.recv()

    def arrived() -> int:
        here.send("how many?")
        return int(here.recv())

    yield arrived
    receiver.join(10)


def _receive(pipe: Connection) -> None:
    with receiving() as receiver:
        pipe.send(receiver.environment)
        pipe.recv()
        pipe.send(len(receiver.spans))


def _scoring() -> JointScoring:
    return JointScoring(DEFAULT, ProfileTable(DEFAULT), CURRENCY, 4)


def _rows(batch: RecordBatch) -> int:
    return len(batch.offsets)


if __name__ == "__main__":
    run(__doc__, measure)
