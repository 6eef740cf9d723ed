"""Runs one try at a time in a process of its own, and is never waited for."""

import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from stream_app.retrain.training_order import (
    ORDER_FILE,
    OUTCOME_FILE,
    TrainingOrder,
    TrainingOutcome,
    read_record,
    write_whole,
)
from stream_app.retrain.training_process import STORAGE_VARIABLE, TRACE_VARIABLE
from stream_app.stack.server_process import ServerProcess
from stream_app.telemetry.traces import traceparent

log = logging.getLogger(__name__)

_PROGRAM: Final = "import sys; from stream_app.retrain.training_process import main; main(sys.argv[1])"
STOP_S: Final = 1.0
"""A training has nothing to put away: what it leaves is its outcome, written whole or not at all."""


class Trainer:
    """Starts trainings and looks how they stand.

    Parameters
    ----------
    folder: of this worker alone; each training's log stays in it until the next one begins.
    storage_options: of the archive.
    longest_s: a training that takes longer is killed.
    clock_s: seconds that only grow.
    """

    def __init__(
        self,
        folder: Path,
        storage_options: Mapping[str, str],
        longest_s: float,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._storage_options = storage_options
        self._longest_s = longest_s
        self._clock_s = clock_s
        self._process: ServerProcess | None = None
        self._began_s = 0.0
        self._relayed_bytes = 0
        self.order: TrainingOrder | None = None

    def start(self, order: TrainingOrder) -> None:
        """Begin; what ran before is ended."""
        self.stop()
        self._clear()
        self._folder.mkdir(parents=True)
        write_whole(self._folder / ORDER_FILE, order)
        process = ServerProcess("training", self._folder, tethered=True)
        options = msgspec.json.encode(dict(self._storage_options)).decode()
        trace = traceparent()
        environment = {**os.environ, STORAGE_VARIABLE: options, **({} if trace is None else {TRACE_VARIABLE: trace})}
        process.start([sys.executable, "-c", _PROGRAM, str(self._folder)], environment)
        self._process, self._began_s, self.order = process, self._clock_s(), order
        self._relayed_bytes = 0

    def outcome(self) -> TrainingOutcome | None:
        """Return what came of the training; None while it runs."""
        process = self._process
        assert process is not None, "start comes before outcome"
        runs = process.identity() is not None
        took_s = self._clock_s() - self._began_s
        outcome: TrainingOutcome | None = read_record(self._folder / OUTCOME_FILE, TrainingOutcome)
        self._relay(process)
        if outcome is None and runs and took_s < self._longest_s:
            return None
        last_words = process.last_words()
        self.stop()
        if outcome is not None:
            return outcome
        how = f"was killed after {took_s:.0f} s" if runs else "ended without an outcome"
        return TrainingOutcome(error=f"the training {how}; it last said: {last_words}", training_s=took_s)

    @property
    def saying(self) -> str | None:
        """What a training that runs has said last."""
        return None if self._process is None else self._process.last_words()

    def _relay(self, process: ServerProcess) -> None:
        """Log what the training has said since the last look: its own log goes with the next training."""
        with process.log.open("rb") as said:
            said.seek(self._relayed_bytes)
            new = said.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._relayed_bytes += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            log.info("training: %s", line)

    def stop(self) -> None:
        """End the training, if one runs."""
        if self._process is not None:
            self._process.stop(STOP_S)
        self._process, self.order = None, None

    def _clear(self) -> None:
        """Remove the folder, and those beside it whose training has ended: workers that were killed left them."""
        beside = [one for one in self._folder.parent.glob("*") if one.is_dir()]
        for one in {self._folder, *beside}:
            if ServerProcess("training", one, tethered=True).identity() is None:
                shutil.rmtree(one, ignore_errors=True)
