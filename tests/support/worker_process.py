"""A `fraudstream` process of its own, started quickly, killed by its own pid, never outliving the run."""

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path
from typing import TypeVar

DEADLINE_S = 60.0
Found = TypeVar("Found")
_PR_SET_PDEATHSIG = 1

# Workers are forked from one server that has imported everything and started nothing: a start costs tenths of a second
# in place of the seconds that the imports take. What runs in the child is the command as the console script runs it.
_starter = multiprocessing.get_context("forkserver")
_starter.set_forkserver_preload(["pytest", "tests.support.worker_process", "tests.support.preloaded"])


def prepare() -> None:
    """Begin to start the server, so that it imports while something else is waited for."""
    forkserver.ensure_running()


def wait_until(
    look: Callable[[], Found], what: str | Callable[[], str], deadline_s: float = DEADLINE_S, every_s: float = 0.02
) -> Found:
    """Look again and again until something true is found, and return it."""
    until = time.monotonic() + deadline_s
    while not (found := look()):
        assert time.monotonic() < until, f"not within {deadline_s:g} s: {what if isinstance(what, str) else what()}"
        time.sleep(every_s)
    return found


def _run(
    arguments: Sequence[str], environment: Mapping[str, str], log: str, sabotage: Callable[[], None] | None
) -> None:
    """The child: become a session of its own, write to a file, run the command."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(environment)
    from stream_app.cli import run  # noqa: PLC0415  imported by the server already, and not wanted in the test process

    if sabotage is not None:
        sabotage()
    sys.exit(run(arguments))


class WorkerProcess:
    """One worker.

    Parameters
    ----------
    arguments:
        What stands behind `fraudstream` on the command line.
    environment:
        Variables to set.
    log:
        Receives what the process says.
    sabotage:
        Called in the child before the command: a function of a module that breaks something on purpose.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        sabotage: Callable[[], None] | None = None,
    ) -> None:
        self._log = log
        log.touch()
        self._process = _starter.Process(
            target=_run, args=(list(arguments), dict(environment), str(log), sabotage), daemon=True
        )
        self._process.start()

    @property
    def said(self) -> str:
        """All it has written so far."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it has said something; fails at once when it ends without."""

        def look() -> bool:
            if self.said.count(text) >= times:
                return True
            assert self.running, f"ended with {self._process.exitcode} and without {text!r}: {self.said}"
            return False

        wait_until(look, lambda: f"{text!r} in: {self.said}")

    def ended(self, deadline_s: float = DEADLINE_S) -> int:
        """Wait for its end and return the exit code (minus the signal's number for a signal)."""
        self._process.join(deadline_s)
        assert self._process.exitcode is not None, f"still running after {deadline_s:g} s: {self.said}"
        return self._process.exitcode

    def refused(self) -> str:
        """Wait for its end with exit code 2 and return the one line that says why."""
        code = self.ended()
        errors = [line for line in self.said.splitlines() if line.startswith("error: ")]
        assert (code, len(errors)) == (2, 1), self.said
        assert "Traceback" not in self.said, self.said
        return errors[0]

    def kill(self) -> None:
        """End it as a crash does."""
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
        self._process.join()

    def stop(self) -> int:
        """End it as an operator does, and return the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.ended()

    def freeze(self) -> None:
        """Let it stand still."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)
