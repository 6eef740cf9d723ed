"""The console's pages without Kafka and Redis: a feed that nobody fills, a registry on a Redis that is away."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from stream_app.console.app import build_app
from stream_app.console.console import Console
from stream_app.console.people.accounts import Account, Accounts
from stream_app.console.people.role import Role
from stream_app.console.run import make_console
from stream_app.console.settings import ConsoleSettings

PASSWORD = "correct horse battery"
NOBODY_LISTENS = "127.0.0.1:1"

Visit = Callable[..., TestClient]


@pytest.fixture(scope="session")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An accounts file with somebody in each role, whose name is the role's; hashed so that a check takes no time."""
    accounts = Accounts(tmp_path_factory.mktemp("console") / "users.json")
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    for role in Role:
        accounts.keep(role.word, Account(role.word, quick.hash(PASSWORD), 1))
    return accounts.file


@pytest.fixture
def settings(everybody: Path, tmp_path: Path) -> ConsoleSettings:
    """Of a console that everybody may enter."""
    file = Path(shutil.copy2(everybody, tmp_path))
    return ConsoleSettings(
        broker=NOBODY_LISTENS,
        redis_url=f"redis://{NOBODY_LISTENS}/0",
        data_folder=tmp_path,
        archive_url=str(tmp_path / "archive"),
        secret="s" * 40,
        accounts_file=file,
    )


@pytest.fixture
def console(settings: ConsoleSettings) -> Console:
    return make_console(settings)


@pytest.fixture
def visit(console: Console) -> Iterator[Visit]:
    """A browser without scripts: `visit()` is a stranger, `visit(Role.ANALYST)` somebody who has signed in."""
    app = build_app(console)
    opened: list[TestClient] = []

    def come(role: Role | None = None, **settings: Any) -> TestClient:
        client = TestClient(app, "http://console", follow_redirects=False, **settings)
        client.headers["accept"] = "text/html"
        opened.append(client)
        if role is not None:
            answer = send(client, "/sign-in", {"name": role.word, "password": PASSWORD}, page="/sign-in")
            assert answer.status_code == 303, answer.text
        return client

    yield come
    for client in opened:
        client.close()


def send(client: TestClient, path: str, fields: dict[str, str], page: str = "/") -> Any:
    """Send a form as the page that holds it would."""
    token = client.get(page).text.split('name="csrf-token" content="')[1].partition('"')[0]
    return client.post(path, data={"csrf_token": token, **fields})
