"""A worker as a bank runs it: a process of its own that is started again whenever it ends."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from stream_app.stack.server_process import ServerProcess
from stream_app.worker_processes import MAIN

STOP_S: Final = 20.0


class Supervised:
    """`fraudstream ARGUMENTS`, started again when it ends without being told to.

    Parameters
    ----------
    name: unique in the run.
    folder: for its log.
    arguments: what stands behind `fraudstream`.
    environment: variables to set.
    fault: a call of a function of `faults`, carried out in the process before its command; the first start only.
    """

    def __init__(
        self, name: str, folder: Path, arguments: Sequence[str], environment: Mapping[str, str], fault: str | None
    ) -> None:
        self._arguments = list(arguments)
        self._environment = {**os.environ, **environment}
        self._process = ServerProcess(name, folder / name, tethered=True)
        self._kept_up = True
        self.restarts = 0
        self._start(fault)

    def _start(self, fault: str | None) -> None:
        program = MAIN if fault is None else f"from stream_app.chaos import faults; faults.{fault}; {MAIN}"
        self._process.start([sys.executable, "-c", program, *self._arguments], self._environment)

    @property
    def said(self) -> str:
        """Its log."""
        log = self._process.log
        return log.read_text(errors="replace") if log.exists() else ""

    @property
    def errors(self) -> list[str]:
        """The lines with which it has ended."""
        return [line for line in self.said.splitlines() if line.startswith("error: ")]

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self._process.identity() is not None

    @property
    def resident_bytes(self) -> int:
        """Memory that it holds now; 0 when it does not run."""
        identity = self._process.identity()
        try:
            return 0 if identity is None else int(psutil.Process(identity.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def supervise(self) -> None:
        """Start it again if it has ended by itself."""
        if self._kept_up and not self.running:
            self._process.kill()  # nothing is left but its entry
            self.restarts += 1
            self._start(None)

    def kill(self) -> None:
        """End it as a crash does; it is started again."""
        self._process.kill()

    def retire(self, grace_s: float = STOP_S) -> None:
        """End it in order, for good."""
        self._kept_up = False
        self._signal(signal.SIGCONT)
        self._process.stop(grace_s)

    def bury(self) -> None:
        """End it as a crash does, for good."""
        self._kept_up = False
        self._process.kill()

    def leave_ended(self) -> None:
        """Do not start it again when it ends."""
        self._kept_up = False

    def terminate(self) -> None:
        """Ask it to end; it is started again."""
        self._signal(signal.SIGTERM)

    def freeze(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        identity = self._process.identity()
        if identity is not None:
            os.kill(identity.pid, number)
