"""Crashes of a retrainer at a named step, put in before its command runs; called in the child process only."""

import functools
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from stream_app.retrain.job import RetrainState
from stream_app.retrain.report import RetrainReport
from stream_app.retrain.retrain_store import RetrainStore
from stream_app.retrain.trainer import Trainer


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_at_a_write(step: str, *, after: bool) -> None:
    """A request has come to a step: it is about to be written, or has been."""
    whole = RetrainStore.write

    def write(
        store: RetrainStore, state: RetrainState, reports: Mapping[str, RetrainReport] | None = None, *rest: Any
    ) -> RetrainState:
        come = any(
            report.done if step == "done" else (job := state.job(name)) is not None and job.step == step
            for name, report in (reports or {}).items()
        )
        if come and not after:
            _crash()
        written = whole(store, state, reports, *rest)
        if come:
            _crash()
        return written

    RetrainStore.write = write  # type: ignore[method-assign, assignment]


def dies_in_training() -> None:
    """The training has begun, and the worker is gone."""
    whole = Trainer.start

    def start(trainer: Trainer, *arguments: Any) -> None:
        whole(trainer, *arguments)
        _crash()

    Trainer.start = start  # type: ignore[method-assign, assignment]


_WRITE = functools.partial(functools.partial, dies_at_a_write)

STEPS: dict[str, Callable[[], None]] = {
    "before it is taken": _WRITE("taken", after=False),
    "after it is taken": _WRITE("taken", after=True),
    "before its data are pinned": _WRITE("pinned", after=False),
    "after its data are pinned": _WRITE("pinned", after=True),
    "in training": dies_in_training,
    "after it is trained": _WRITE("trained", after=True),
    "before it is registered": _WRITE("registered", after=False),
    "after it is registered": _WRITE("registered", after=True),
    "before it is done, offered already": _WRITE("done", after=False),
    "after it is done, its position in Kafka not committed": _WRITE("done", after=True),
}
"""Every step that leaves something behind, in order; before the outcome is written is as in training."""
