"""The process: it speaks TLS where it is told to, says why it does not start, and lets open pages go when it ends."""

import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from models.schema.topics import TopicNames
from stream_app.access.fresh_secrets import make_secrets
from stream_app.console.guard.csrf import FIELD
from stream_app.stack.local_stack import LocalStack
from tests.support.console_world import PASSWORD, ConsoleWorld
from tests.support.worker_process import WorkerProcess, prepare


@pytest.fixture
def world(stack: LocalStack, topics: TopicNames, redis_prefix: str, tmp_path: Path) -> Iterator[ConsoleWorld]:
    prepare()
    made = ConsoleWorld(stack, topics, redis_prefix, tmp_path)
    yield made
    made.close()


def enter(client: httpx.Client) -> httpx.Response:
    token = client.get("/sign-in").text.split('name="csrf-token" content="')[1].partition('"')[0]
    return client.post("/sign-in", data={FIELD: token, "name": "viewer", "password": PASSWORD})


def test_it_speaks_tls_by_itself(world: ConsoleWorld, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    make_secrets(secrets, [], ["console"], ["127.0.0.1"])
    world.start("--tls-certificate", str(secrets / "console.crt"), "--tls-key", str(secrets / "console.key"))
    trusted = ssl.create_default_context(cafile=str(secrets / "ca.pem"))
    with httpx.Client(base_url=f"https://127.0.0.1:{world.port}", verify=trusted) as client:
        answer = enter(client)
        assert answer.status_code == 303
        assert all("; Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))
        assert client.get("/whoami").json() == {"name": "viewer", "role": "viewer"}


def test_it_does_not_listen_beyond_this_machine_in_the_clear(world: ConsoleWorld, tmp_path: Path) -> None:
    process = _started(world, tmp_path, "--web-host", "0.0.0.0")
    assert "passwords would travel in the clear; give --tls-certificate" in process.refused()


def test_a_port_that_is_taken_is_said(world: ConsoleWorld, tmp_path: Path) -> None:
    world.start()
    assert f"port {world.port} of 127.0.0.1 cannot be listened on" in _started(world, tmp_path).refused()


def test_it_ends_at_once_though_a_page_is_open(world: ConsoleWorld) -> None:
    process = world.start()
    heard = threading.Event()

    def follow() -> None:
        with httpx.Client(base_url=world.address) as client:
            enter(client)
            with client.stream("GET", "/events?kinds=tick") as answer:
                for _ in answer.iter_lines():
                    heard.set()

    page = threading.Thread(target=follow)
    page.start()
    assert heard.wait(20)
    began_s = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - began_s < 5
    page.join(20)
    assert not page.is_alive()
    assert "Traceback" not in process.said
    assert "ERROR" not in process.said


def _started(world: ConsoleWorld, folder: Path, *options: str) -> WorkerProcess:
    arguments = [
        *("console", "--broker", world.stack.broker, "--redis", world.stack.redis_url),
        *("--web-port", str(world.port), *options),
    ]
    return WorkerProcess(arguments, {"FRAUDSTREAM_DATA": str(folder)}, folder / "another.log")
