"""A worker process under measurement, with the CPU time that it takes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil


@dataclass(frozen=True, slots=True)
class Round:
    """What one round measured.

    Attributes
    ----------
    events_per_s: by the clock.
    events_per_cpu_s: by the CPU time of the whole process tree.
    memory_mb: resident at its end.
    events_per_cpu_s_without_jit: by the CPU time less that of just-in-time compilers, which a process that runs for
        hours hardly pays.
    """

    events_per_s: float
    events_per_cpu_s: float
    memory_mb: float
    events_per_cpu_s_without_jit: float


class Worker:
    """Starts a command in its own process group, and ends it with everything it started.

    Parameters
    ----------
    command
        A program and its arguments; processes that it starts are measured with it.
    environment
        What is added to this process's environment.
    log
        File for what it prints.
    jit_threads
        Beginnings of the names of its threads that compile just in time; they are told apart on Linux only.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, jit_threads: tuple[str, ...] = ()
    ) -> None:
        self._jit_threads = jit_threads
        self._command = list(command)
        self._environment = {**os.environ, **environment}
        self._log = log

    @classmethod
    def fraudstream(
        cls, options: Sequence[str], environment: Mapping[str, str], log: Path, cores: Collection[int] = ()
    ) -> Self:
        """A command of ours, on some cores only when any are given."""
        pin = f"import os; os.sched_setaffinity(0, {sorted(cores)}); " if cores else ""
        return cls([sys.executable, "-c", f"{pin}from stream_app.cli import main; main()", *options], environment, log)

    def __enter__(self) -> Self:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )
        self._observed = psutil.Process(self._process.pid)
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def require_alive(self) -> None:
        """Raise, with the end of its log, if it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"the worker ended with {self._process.returncode}: {self._log.read_text()[-2000:]}")

    def measured(self, events: int, work: Callable[[], None]) -> Round:
        """How fast it gets through `events` events, which `work` sends it and waits for."""
        cpu_s, jit_s, started = self.cpu_s(), self._jit_s(), time.perf_counter()
        work()
        took_s, cpu_s, jit_s = time.perf_counter() - started, self.cpu_s() - cpu_s, self._jit_s() - jit_s
        return Round(events / took_s, events / cpu_s, self.memory_bytes() / 1e6, events / (cpu_s - jit_s))

    def cpu_s(self) -> float:
        """CPU seconds, user and system, that it and its descendants have taken so far, on all threads."""
        return sum(sum(each.cpu_times()[:4]) for each in self._family())

    def _jit_s(self) -> float:
        names = Path(f"/proc/{self._process.pid}/task")
        if not self._jit_threads or not names.is_dir():
            return 0.0
        return sum(
            thread.user_time + thread.system_time
            for thread in self._observed.threads()
            if (names / str(thread.id) / "comm").read_text().startswith(self._jit_threads)
        )

    def memory_bytes(self) -> int:
        """Resident memory of it and its descendants now; what they share counts for each."""
        return sum(int(each.memory_info().rss) for each in self._family())

    def _family(self) -> list[psutil.Process]:
        """All that run; the time of those that have ended stands with their parent, which has waited for them."""
        return [self._observed, *self._observed.children(recursive=True)]
