"""Every Redis client of a process: address from the option, identity from the environment, no secret in any text.

FRAUDSTREAM_REDIS_USERNAME and FRAUDSTREAM_REDIS_PASSWORD replace what the address says; either may be `file:PATH`.
FRAUDSTREAM_REDIS_CA_FILE, _CERTIFICATE_FILE and _KEY_FILE are for TLS (rediss://). The release loop may have a user of
its own: FRAUDSTREAM_REDIS_RELEASER_USERNAME and FRAUDSTREAM_REDIS_RELEASER_PASSWORD, else it has the process's.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import redis
import redis.asyncio

from models.access.secret import HIDDEN, from_environment
from models.errors import FraudstreamError

RELEASER: Final = "releaser"
"""The identity that moves aliases and places models."""
CONNECT_S: Final = 5.0

_VARIABLE: Final = "FRAUDSTREAM_REDIS_"
_TLS_CONNECTIONS: Final = (redis.SSLConnection, redis.asyncio.SSLConnection)
_TLS_FILES: Final = {"CA_FILE": "ssl_ca_certs", "CERTIFICATE_FILE": "ssl_certfile", "KEY_FILE": "ssl_keyfile"}


class RedisAccessError(FraudstreamError):
    """Raised when Redis does not answer or refuses this process."""


@dataclass(frozen=True, slots=True, repr=False)
class RedisIdentity:
    """Who connects; `username` None is Redis' default user, `password` None sends none."""

    username: str | None = None
    password: str | None = None

    @classmethod
    def read(cls, role: str | None = None, environment: Mapping[str, str] | None = None) -> Self:
        """Return the identity of the process, or of one role in it where it has its own."""
        environment = os.environ if environment is None else environment
        for prefix in (f"{_VARIABLE}{role.upper()}_", _VARIABLE) if role else (_VARIABLE,):
            username = from_environment(environment, f"{prefix}USERNAME")
            password = from_environment(environment, f"{prefix}PASSWORD")
            if username is not None and password is None:
                raise RedisAccessError(f"{prefix}USERNAME is set and {prefix}PASSWORD is not; set both")
            if password is not None:
                return cls(username, password)
        return cls()

    def __repr__(self) -> str:
        return f"RedisIdentity(username={self.username!r}, password={HIDDEN if self.password else None})"


def redis_client(url: str, role: str | None = None, **options: Any) -> redis.Redis:
    """Return a client, which connects when it is first asked something.

    Parameters
    ----------
    url: redis://HOST:PORT/0, or rediss:// for TLS.
    role: whose identity; None is the process's.
    options: further ones of redis-py.

    Raises
    ------
    RedisAccessError: the address, a variable or a file is none that can be used.
    """
    return _made(redis.Redis, url, role, options)  # type: ignore[no-any-return]  # an instance of the first


def async_redis_client(url: str, role: str | None = None, **options: Any) -> redis.asyncio.Redis:
    """Return the same for asyncio."""
    return _made(redis.asyncio.Redis, url, role, options)  # type: ignore[no-any-return]  # as above


def _made(kind: Any, url: str, role: str | None, options: Mapping[str, Any]) -> Any:
    identity = RedisIdentity.read(role)
    if identity.password is not None:
        url = _without_user(url)
        options = {**options, "username": identity.username, "password": identity.password}
    files = {option: path for name, option in _TLS_FILES.items() if (path := os.environ.get(f"{_VARIABLE}{name}"))}
    if files and not url.startswith("rediss://"):
        raise RedisAccessError(
            f"{shown(url)} is no TLS address although {_VARIABLE}CA_FILE or a certificate is set; write rediss://"
        )
    try:
        return kind.from_url(url, **{"socket_connect_timeout": CONNECT_S, **files, **options})
    except ValueError as error:
        raise RedisAccessError(f"{shown(url)!r} is no Redis address ({error}); write redis://HOST:PORT/0") from None


def require_redis(url: str, role: str | None = None) -> None:
    """Return once Redis has answered.

    Raises
    ------
    RedisAccessError: it is silent or refuses, with the reason and the remedy on one line.
    """
    with redis_client(url, role) as client:
        try:
            client.ping()
        except (redis.RedisError, OSError) as error:
            raise RedisAccessError(failure(error, client)) from None


def failure(error: BaseException, client: redis.Redis | redis.asyncio.Redis) -> str:
    """Return what went wrong with Redis and what to do on one line, without a secret."""
    user = client.connection_pool.connection_kwargs.get("username") or "default"
    where = address_of(client)
    if isinstance(error, redis.exceptions.AuthenticationError | redis.exceptions.AuthorizationError):
        return (
            f"Redis at {where} refuses user {user} ({error}); check FRAUDSTREAM_REDIS_USERNAME and "
            "FRAUDSTREAM_REDIS_PASSWORD, for the release loop FRAUDSTREAM_REDIS_RELEASER_..."
        )
    if isinstance(error, redis.exceptions.NoPermissionError):
        return (
            f"Redis at {where} does not allow user {user} what it is asked ({error}); is it the user of this process? "
            "`fraudstream access redis` prints each one's rights"
        )
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | OSError):
        return (
            f"no Redis at {where} ({type(error).__name__}: {error}); start it with `fraudstream stack up`, or name it "
            "with --redis"
        )
    return f"Redis at {where} refused: {error}"


def address_of(client: redis.Redis | redis.asyncio.Redis) -> str:
    """Return where a client connects to, without user and password."""
    pool = client.connection_pool
    settings = pool.connection_kwargs
    if "path" in settings:
        return f"unix://{settings['path']}"
    scheme = "rediss" if issubclass(pool.connection_class, _TLS_CONNECTIONS) else "redis"
    return f"{scheme}://{settings.get('host', 'localhost')}:{settings.get('port', 6379)}/{settings.get('db', 0)}"


def shown(url: str) -> str:
    """Return an address as it may be read by anybody.

    Examples
    --------
    >>> shown("rediss://score:s3cret@redis.bank:6380/0")
    'rediss://score:***@redis.bank:6380/0'
    >>> shown("redis://127.0.0.1:6379/0")
    'redis://127.0.0.1:6379/0'
    """
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    if parts.password:
        address = f"{parts.username or ''}:{HIDDEN}@{address}"
    # redis-py takes a password behind the question mark too.
    query = HIDDEN if parts.query else ""
    return urlunsplit((parts.scheme, address, parts.path, query, ""))


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in {"username", "password"}]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=urlencode(query)))
