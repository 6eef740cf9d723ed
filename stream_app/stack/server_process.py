"""One server's process: started in a session of its own, known by pid and start time, stopped for certain."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import psutil

from models.errors import FraudstreamError
from stream_app.stack import tether

POLL_S: Final = 0.05
SAME_START_S: Final = 2.0
"""Start times of one process read at different moments differ by less: the kernel counts in hundredths of a second."""


class ServerError(FraudstreamError):
    """Raised when a server ends by itself, or does not answer in time."""


class ProcessIdentity(msgspec.Struct, frozen=True):
    """A pid alone may be given again to a stranger; with its start time it names one process."""

    pid: int
    started_at: float

    def running(self) -> psutil.Process | None:
        """Return the process while it lives, None once it has ended."""
        try:
            process = psutil.Process(self.pid)
            ours = abs(process.create_time() - self.started_at) < SAME_START_S
            return process if ours and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def stop(self, grace_s: float) -> None:
        """Ask the process to end, and kill it when it has not after `grace_s` seconds."""
        process = self.running()
        if process is None:
            return
        try:
            process.terminate()
            process.wait(grace_s)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(grace_s)
        except psutil.NoSuchProcess:
            pass


class ServerProcess:
    """Starts a command in a folder, remembers it there in `process.json`, and stops it.

    Parameters
    ----------
    name
        What errors call the server.
    folder
        Holds `process.json` and the log; a second ServerProcess on the same folder finds the first one's process.
    tethered
        Whether the server dies with the process that started it. The kernel ties it to the starting THREAD: start
        tethered servers from a thread that lives as long as they should.
    """

    def __init__(self, name: str, folder: Path, *, tethered: bool) -> None:
        self.name = name
        self.folder = folder
        self.tethered = tethered
        self.log = folder / f"{name.lower()}.log"
        self._pid_file = folder / "process.json"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> ProcessIdentity:
        """Start the command; its output is appended to the log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        tied = [sys.executable, "-I", str(Path(tether.__file__)), str(psutil.Process().pid), *command]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                tied if self.tethered else list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # Ctrl-C in the terminal is for the command that started it, not for the server.
                start_new_session=True,
            )
        identity = ProcessIdentity(self._child.pid, psutil.Process(self._child.pid).create_time())
        self._pid_file.write_bytes(msgspec.json.encode(identity))
        return identity

    def identity(self) -> ProcessIdentity | None:
        """Return the server's process while it lives."""
        try:
            identity = msgspec.json.decode(self._pid_file.read_bytes(), type=ProcessIdentity)
        except (FileNotFoundError, msgspec.MsgspecError, ValueError, RecursionError):
            return None
        return identity if identity.running() else None

    def await_answer(self, answers: Callable[[], bool], deadline_s: float) -> None:
        """Return once `answers()` is true; raise when the server ends before, or does not answer in time."""
        until = time.monotonic() + deadline_s
        while not answers():
            if self.identity() is None:
                raise ServerError(f"{self.name} ended while starting: {self.last_words()}; its log is {self.log}")
            if time.monotonic() > until:
                raise ServerError(f"{self.name} did not answer within {deadline_s:.0f} s; its log is {self.log}")
            time.sleep(POLL_S)

    def last_words(self) -> str:
        """Return the last line of the log that says what went wrong, else its last line."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-200:]
        except FileNotFoundError:
            return "it wrote no log"
        telling = [line for line in lines if "ERROR" in line or "Exception" in line or "FATAL" in line]
        return (telling or lines or ["it wrote nothing"])[-1].strip()

    def stop(self, grace_s: float = 20.0) -> None:
        """End the server: ask, then kill."""
        identity = self.identity()
        if identity is not None:
            identity.stop(grace_s)
        self._reap()

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        identity = self.identity()
        process = identity.running() if identity else None
        if process is not None:
            process.kill()
            process.wait(10)
        self._reap()

    def _reap(self) -> None:
        if self._child is not None:
            # Still there only when the start was interrupted before the process was written down.
            if self._child.poll() is None:
                self._child.kill()
            self._child.wait(10)
            self._child = None
        self._pid_file.unlink(missing_ok=True)
