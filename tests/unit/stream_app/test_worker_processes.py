"""Why a process of a run has ended."""

import sys
import time
from pathlib import Path

import pytest

from stream_app.stack.server_process import ServerProcess
from stream_app.worker_processes import _reason


@pytest.mark.parametrize(
    "line", ["error: no broker", '{"level": "critical", "message": "error: no broker"}', '{"message": 7}\\nno broker']
)
def test_its_last_error_is_told_whether_it_logs_as_text_or_as_json(tmp_path: Path, line: str) -> None:
    process = ServerProcess("score", tmp_path, tethered=False)
    process.start([sys.executable, "-c", f"print('''{line}''')"])
    until = time.monotonic() + 20
    while process.identity() is not None:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert _reason(process) == "no broker"
    process.stop()
