"""Processes that are started, known again and stopped for certain."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from stream_app.stack.server_process import ProcessIdentity, ServerError, ServerProcess

SERVES = [sys.executable, "-c", "import signal; print('serving', flush=True); signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('serving', flush=True)\nsignal.pause()",
]
FAILS = [sys.executable, "-c", "print('ERROR the disk is full'); print('bye'); raise SystemExit(1)"]


def started(folder: Path, command: list[str], *, tethered: bool = True) -> tuple[ServerProcess, ProcessIdentity]:
    server = ServerProcess("Toy", folder, tethered=tethered)
    identity = server.start(command)
    server.await_answer(lambda: "serving" in server.log.read_text(), 20)
    return server, identity


@pytest.mark.parametrize("tethered", [True, False])
def test_a_started_server_runs_until_it_is_stopped(tmp_path: Path, tethered: bool) -> None:
    server, identity = started(tmp_path, SERVES, tethered=tethered)
    assert server.identity() == identity
    server.stop()
    assert identity.running() is None
    assert server.identity() is None


def test_another_object_on_the_same_folder_stops_it(tmp_path: Path) -> None:
    server, identity = started(tmp_path, SERVES)
    ServerProcess("Toy", tmp_path, tethered=False).stop()
    assert identity.running() is None
    server.stop()


def test_a_server_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    server, identity = started(tmp_path, STUBBORN)
    server.stop(grace_s=0.2)
    assert identity.running() is None


def test_a_stranger_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    server, identity = started(tmp_path, SERVES)
    stranger = ProcessIdentity(identity.pid, identity.started_at - 60)
    assert stranger.running() is None
    stranger.stop(1)
    assert identity.running() is not None
    server.kill()
    assert identity.running() is None


def test_a_server_that_ends_while_starting_is_reported_with_its_reason(tmp_path: Path) -> None:
    server = ServerProcess("Toy", tmp_path, tethered=True)
    server.start(FAILS)
    with pytest.raises(ServerError, match=r"Toy ended while starting: ERROR the disk is full; its log is .*toy.log"):
        server.await_answer(lambda: False, 20)
    server.stop()


def test_a_server_that_never_answers_is_reported(tmp_path: Path) -> None:
    server = ServerProcess("Toy", tmp_path, tethered=True)
    server.start(SERVES)
    with pytest.raises(ServerError, match="did not answer within 0 s"):
        server.await_answer(lambda: False, 0.1)
    server.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_a_tethered_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, signal; from pathlib import Path; from stream_app.stack.server_process import ServerProcess\n"
        f"server = ServerProcess('Toy', Path({str(tmp_path)!r}), tethered=True)\n"
        f"print(server.start({SERVES!r}).pid, flush=True)\n"
        "signal.pause()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        server = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(10)
    server.wait(10)
    assert not server.is_running()
