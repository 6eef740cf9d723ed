"""A training gives way to everything else on the machine, not only to what runs in its own session."""

import subprocess
import sys
from pathlib import Path

import pytest

from stream_app.retrain.training_process import NICE

_SHOWN = """
import os
from pathlib import Path
from stream_app.retrain import training_process
training_process._give_way()
group = Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else "")
"""


def test_the_training_and_its_session_are_nice() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _SHOWN], capture_output=True, text=True, check=True, start_new_session=True
    ).stdout.split()
    assert told[0] == str(NICE)
    if not Path("/proc/self/autogroup").exists():
        pytest.skip("this kernel does not group processes by session")
    assert told[1] == str(NICE)
