"""Several consoles with one secret and one Redis: what one ends, all have ended; what happens stands in the audit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from models.registry import Registry
from stream_app.console.app import build_app
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.role import Role
from stream_app.console.run import make_console
from stream_app.console.settings import ConsoleSettings
from stream_app.stack.local_stack import LocalStack

PASSWORD = "correct horse battery"


@pytest.fixture
def settings(stack: LocalStack, redis_prefix: str, tmp_path: Path) -> ConsoleSettings:
    accounts = Accounts(tmp_path / "users.json")
    accounts.keep("ada", accounts.made("ada", Role.VIEWER, PASSWORD, 1))
    return ConsoleSettings(
        broker=stack.broker,
        redis_url=stack.redis_url,
        redis_prefix=redis_prefix,
        data_folder=tmp_path,
        archive_url=str(tmp_path),
        secret="s" * 40,
        accounts_file=accounts.file,
    )


@pytest.fixture
def one(settings: ConsoleSettings) -> Iterator[TestClient]:
    with TestClient(build_app(make_console(settings)), "http://console", follow_redirects=False) as client:
        yield client


@pytest.fixture
def other(settings: ConsoleSettings) -> Iterator[TestClient]:
    with TestClient(build_app(make_console(settings)), "http://console", follow_redirects=False) as client:
        yield client


def send(client: TestClient, path: str, page: str, fields: dict[str, str]) -> int:
    token = client.get(page).text.split('name="csrf-token" content="')[1].partition('"')[0]
    return int(client.post(path, data={"csrf_token": token, **fields}).status_code)


def test_a_session_is_good_everywhere_and_ends_everywhere(one: TestClient, other: TestClient) -> None:
    assert send(one, "/sign-in", "/sign-in", {"name": "ada", "password": PASSWORD}) == 303
    other.cookies.update(one.cookies)
    assert other.get("/whoami").json() == {"name": "ada", "role": "viewer"}
    assert send(one, "/sign-out", "/", {}) == 303
    assert other.get("/whoami").status_code == 401


def test_the_audit_tells_who_was_let_in_and_who_was_not(one: TestClient, settings: ConsoleSettings) -> None:
    assert send(one, "/sign-in", "/sign-in", {"name": "ada", "password": "something else"}) == 403
    assert send(one, "/sign-in", "/sign-in", {"name": "eve", "password": "something else"}) == 403
    assert send(one, "/sign-in", "/sign-in", {"name": "ada", "password": PASSWORD}) == 303
    registry = Registry(settings.redis_url, settings.redis_prefix)
    told = [(record.kind, record.actor, record.details["outcome"]) for record in registry.recorded()]
    assert told == [
        ("login", "ada", "refused"), ("login", "unknown name", "refused"), ("login", "ada", "entered")
    ]  # fmt: skip
