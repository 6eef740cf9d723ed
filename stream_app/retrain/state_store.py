"""A state in Redis with what belongs to it: read by anybody, written only by who has seen the latest."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
import redis

from models.access.redis_access import failure, redis_client
from models.errors import FraudstreamError, one_line

# All keys change together or not at all; the first holds the state, and an empty value deletes.
_WRITE: Final = """
local stored = redis.call('GET', KEYS[1])
local revision = stored and cjson.decode(stored)['revision'] or 0
if revision ~= tonumber(ARGV[1]) then return 0 end
for at = 1, #KEYS do
  if ARGV[at + 1] == '' then redis.call('DEL', KEYS[at]) else redis.call('SET', KEYS[at], ARGV[at + 1]) end
end
return 1
"""
_Record = TypeVar("_Record", bound=msgspec.Struct)


class StateError(FraudstreamError):
    """Raised when Redis does not answer, or holds a record that is none."""


class StateConflictError(FraudstreamError):
    """Raised when somebody else has written the state since it was read."""


class StateStore:
    """Keys under one prefix.

    Parameters
    ----------
    client: a Redis address, or a client that returns bytes.
    prefix: stands before every key.
    """

    def __init__(self, client: "str | redis.Redis", prefix: str) -> None:
        self._client = redis_client(client) if isinstance(client, str) else client
        self._prefix = prefix

    def answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(self._client.ping())
        except redis.RedisError:
            return False

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _get(self, key: str) -> bytes | None:
        content: bytes | None = self._call("get", self._prefix + key)
        return content

    def _record(self, key: str, record: type[_Record]) -> _Record | None:
        content = self._get(key)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=record)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise StateError(
                f"{self._prefix}{key} in Redis is no {record.__name__} ({one_line(error)}); "
                "was it written by another version?"
            ) from None

    def _write(self, revision: int, values: Mapping[str, bytes]) -> None:
        """Write values by key, the state first, which must still be of that revision."""
        keys = [self._prefix + key for key in values]
        if not self._call("eval", _WRITE, len(keys), *keys, revision, *values.values()):
            raise StateConflictError(
                f"revision {revision} of {keys[0]} is not the latest: somebody else has written; read it again"
            )

    def _call(self, command: str, *arguments: Any) -> Any:
        try:
            return getattr(self._client, command)(*arguments)
        except redis.RedisError as error:
            raise StateError(f"{command} under {self._prefix}: {failure(error, self._client)}") from error
