"""The console beside a demo that stays: `fraudstream console` with four accounts that the demo makes up."""

import secrets
import sys
import time
from pathlib import Path
from typing import Final, Self

from models.errors import FraudstreamError
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.role import Role
from stream_app.stack.port import LOOPBACK, answers, free_ports
from stream_app.stack.server_process import ServerProcess
from stream_app.worker_processes import MAIN, Connections

USUAL_PORT: Final = 8090
_PASSWORD_BYTES: Final = 12
_START_S: Final = 60.0
_STOP_S: Final = 10.0


class PagesEndedError(FraudstreamError):
    """Raised when the console has ended before the demo."""


class Pages:
    """The console's process, which ends with this one, however it ends.

    Parameters
    ----------
    connections: Kafka and Redis; the topics are there.
    folder: of the demo.
    port: where to serve; None takes the usual port if it is free, else another.

    Attributes
    ----------
    address: what to type into a browser.
    passwords: of each account; its name is that of its role.
    """

    def __init__(self, connections: Connections, folder: Path, port: int | None) -> None:
        self._connections, self._folder = connections, folder
        self._port = port or _usual_or_free()
        self._process = ServerProcess("console", folder / "console", tethered=True)
        self.address = f"http://{LOOPBACK}:{self._port}/"
        self.passwords = {role.word: secrets.token_urlsafe(_PASSWORD_BYTES) for role in Role}

    def __enter__(self) -> Self:
        connections, file = self._connections, self._folder / "console" / "accounts.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        accounts = Accounts(file)
        for role in Role:
            made = accounts.made(role.word, role, self.passwords[role.word], time.time_ns() // 1_000_000)
            accounts.keep(role.word, made)
        where = ("--archive", str(self._folder / "history"), "--accounts", str(file), "--web-port", str(self._port))
        try:
            self._process.start(
                [sys.executable, "-c", MAIN, "console", *where, *connections.options()],
                connections.environment(self._folder),
            )
            self._process.await_answer(lambda: answers(self._port), _START_S)
        except BaseException:
            self._process.stop(_STOP_S)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop(_STOP_S)

    def check(self) -> None:
        """Raise when the console has ended."""
        if self._process.identity() is None:
            raise PagesEndedError(f"the console has ended: {self._process.last_words()}")

    def accounts(self) -> list[str]:
        """Say who may come in, a line each."""
        width = max(map(len, self.passwords))
        return [f"{name:<{width}}  password {password}" for name, password in self.passwords.items()]


def _usual_or_free() -> int:
    return free_ports(1)[0] if answers(USUAL_PORT) else USUAL_PORT
