"""The process that one try is made in: it yields to scoring, and is killed with the worker that started it."""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from models.errors import FraudstreamError
from models.retraining.retrainer import Retrained
from models.signing import AllowedSigners, SigningKey
from stream_app.retrain.traced_steps import TracedSteps
from stream_app.retrain.training import retrain
from stream_app.retrain.training_order import (
    ORDER_FILE,
    OUTCOME_FILE,
    BundleParts,
    TrainingOrder,
    TrainingOutcome,
    read_record,
    write_whole,
)
from stream_app.telemetry.about import about
from stream_app.telemetry.traces import span, trace_if_wanted

STORAGE_VARIABLE: Final = "FRAUDSTREAM_TRAINING_STORAGE_OPTIONS"
"""Environment variable that holds the object store's options as JSON: they may be secrets, and are on no disk."""
TRACE_VARIABLE: Final = "TRACEPARENT"
"""Environment variable that holds what caused the training, as W3C writes it."""
NICE: Final = 5
"""Beside a process that takes all it gets the training has a quarter of a core that both want."""
_AUTOGROUP: Final = Path("/proc/self/autogroup")


def main(folder: str) -> None:
    """Carry out the order in a folder and leave the outcome there; ends without one only when it is killed."""
    _give_way()
    trace_if_wanted("training")
    order: TrainingOrder = read_record(Path(folder) / ORDER_FILE, TrainingOrder)
    began_s, request = time.monotonic(), order.making.request
    try:
        with (
            about(correlation_id=request.correlation_id, request_id=request.request_id),
            span("train", parent=os.environ.get(TRACE_VARIABLE)),
        ):
            outcome = _outcome(order)
    except FraudstreamError as error:
        outcome = TrainingOutcome(error=" ".join(str(error).split()))
    except MemoryError:
        outcome = TrainingOutcome(error="the memory does not suffice; train on fewer days with --train-from")
    took_s = round(time.monotonic() - began_s, 3)
    _say(outcome.error or f"done in {took_s:.1f} s")
    write_whole(Path(folder) / OUTCOME_FILE, msgspec.structs.replace(outcome, training_s=took_s))


def _outcome(order: TrainingOrder) -> TrainingOutcome:
    with TracedSteps(_say) as steps:
        retrained = _retrained(order, steps.report)
    bundle = None if retrained.bundle is None else BundleParts.of(retrained.bundle)
    return TrainingOutcome(choice=retrained.choice, gate=retrained.gate, bundle=bundle)


def _retrained(order: TrainingOrder, report: Callable[[str], None]) -> Retrained:
    return retrain(
        order.making,
        order.champion.whole(),
        order.archive_url,
        msgspec.json.decode(os.environ.get(STORAGE_VARIABLE, "{}"), type=dict[str, str]),
        code_commit=order.code_commit,
        key=SigningKey.load(Path(order.signing_key)),
        allowed=AllowedSigners.in_folder(Path(order.allowed_signers)),
        report=report,
    )


def _give_way() -> None:
    """Take what scoring leaves of all cores.

    Where Linux groups processes by session (sched(7), autogroup), niceness counts inside the session alone, which holds
    nothing but this process: the group has one of its own.
    """
    os.nice(NICE)
    with contextlib.suppress(OSError):
        _AUTOGROUP.write_text(str(NICE))


def _say(text: str) -> None:
    sys.stdout.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}\n")
    sys.stdout.flush()
