"""A worker is measured with all that it starts."""

import sys
import time
from pathlib import Path

from bench.worker import Worker

BUSY = "while True: pass"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"
DEADLINE_S = 30.0


def test_the_cpu_time_of_a_process_that_it_starts_counts(tmp_path: Path) -> None:
    with Worker([sys.executable, "-c", PARENT], {}, tmp_path / "log") as worker:
        until = time.monotonic() + DEADLINE_S
        while worker.cpu_s() < 1.0 and time.monotonic() < until:
            worker.require_alive()
        assert worker.cpu_s() >= 1.0
