"""A worker that is asked to end, and what it says of itself while it runs."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from stream_app.stack.port import free_ports
from tests.support.payments import payments
from tests.support.scoring_world import ScoringWorld
from tests.support.worker_process import wait_until


def test_sigterm_ends_with_0_in_seconds_and_the_next_start_scores_nothing_again(world: ScoringWorld) -> None:
    world.send(payments(4000))
    worker = world.start("--batch", "50")
    world.wait_for_scores(500)
    started = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - started < 10
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()
    assert world.output.raw == 4000


def test_sigterm_ends_a_worker_that_waits_for_its_first_model(make_world) -> None:
    world = make_world(champion=False)
    worker = world.start()
    worker.wait_for("no model to serve yet")
    started = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - started < 10


def test_ctrl_c_ends_the_console_command_with_0(world: ScoringWorld, tmp_path: Path) -> None:
    world.send(payments(200))
    command = [str(Path(sys.executable).with_name("fraudstream")), *world.arguments()]
    log = tmp_path / "console.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, start_new_session=True, env={**os.environ, **world.environment()}
        )
    try:
        world.output.scores.read_until(lambda: world.output.raw >= 200, 90, log.read_text)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    world.send(payments(100, part=1))
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()
    assert world.output.raw == 300


def test_health_readiness_and_metrics_answer(make_world) -> None:
    world = make_world(champion=False)
    (port,) = free_ports(1)
    worker = world.start("--web-port", str(port))
    wait_until(lambda: fetch(port, "readyz")[0] == 503, "an answer before there is a model")
    assert json.loads(fetch(port, "readyz")[1])["reason"].startswith("it waits for a model")
    world.promote(world.models.first)
    wait_until(lambda: fetch(port, "readyz")[0] == 200, "readiness")
    world.send(payments(50))
    world.wait_for_all()
    state = json.loads(fetch(port, "readyz")[1])
    assert state["reason"] is None
    assert state["model_version"] == world.models.first.version
    assert state["partitions"] == [0, 1]
    assert fetch(port, "healthz") == (200, '{"status": "ok"}')
    shown = fetch(port, "metrics")[1]
    assert "fraudstream_transactions_scored_total 50.0" in shown
    # Rows between the first and the last of a batch are spread, so parts of them may be counted.
    waited = re.search(r"^fraudstream_event_to_score_seconds_count (.+)$", shown, flags=re.MULTILINE)
    assert waited
    assert float(waited[1]) == pytest.approx(50)
    assert re.search(r"^process_resident_memory_bytes [1-9]", shown, flags=re.MULTILINE)
    assert 'fraudstream_build_info{version="' in shown
    assert worker.stop() == 0


def test_pages_are_served_on_the_address_that_was_asked_for_and_on_no_other(make_world) -> None:
    world = make_world(champion=False)
    (port,) = free_ports(1)
    worker = world.start("--web-port", str(port), "--web-host", "127.0.0.2")
    wait_until(lambda: fetch(port, "healthz", "127.0.0.2")[0] == 200, "the page")
    assert fetch(port, "healthz")[0] == 0
    assert worker.stop() == 0


def fetch(port: int, page: str, host: str = "127.0.0.1") -> tuple[int, str]:
    """Status and body; status 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/{page}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except urllib.error.URLError:
        return 0, ""
