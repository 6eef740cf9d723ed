"""The state of the release loop in Redis: read by anybody, written only by who has seen the latest."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import redis

from models.errors import FraudstreamError
from models.release.state import ReleaseState

_TIMEOUT_S: Final = 5
_ATTEMPTS: Final = 50
_WRITE: Final = """
local stored = redis.call('GET', KEYS[1])
local revision = stored and cjson.decode(stored)['revision'] or 0
if revision ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""


class ReleaseStateError(FraudstreamError):
    """Raised when Redis does not answer, or holds a state that is none."""


class ReleaseConflictError(FraudstreamError):
    """Raised when somebody else has written the state since it was read."""


class ReleaseStore:
    """One state under a key prefix.

    Parameters
    ----------
    client: a Redis address, or a client that returns bytes.
    prefix: stands before the key.
    """

    def __init__(self, client: "str | redis.Redis", prefix: str) -> None:
        self._client = (
            redis.Redis.from_url(client, socket_connect_timeout=_TIMEOUT_S) if isinstance(client, str) else client
        )
        self._key = f"{prefix}release"

    def read(self) -> ReleaseState:
        """Return the state, a new one before the first write."""
        content = self._call("get", self._key)
        if content is None:
            return ReleaseState()
        try:
            return msgspec.json.decode(content, type=ReleaseState)
        except msgspec.MsgspecError as error:
            raise ReleaseStateError(
                f"{self._key} in Redis is no state of a release ({error}); was it written by another version?"
            ) from None

    def write(self, state: ReleaseState) -> ReleaseState:
        """Write a state that was made from the latest, and return it with its new revision.

        Raises
        ------
        ReleaseConflictError: it was made from an older one; read again and decide again.
        """
        written = msgspec.structs.replace(state, revision=state.revision + 1)
        if not self._call("eval", _WRITE, 1, self._key, state.revision, msgspec.json.encode(written)):
            raise ReleaseConflictError(f"revision {state.revision} of {self._key} is not the latest; read it again")
        return written

    def change(self, change: Callable[[ReleaseState], ReleaseState]) -> ReleaseState:
        """Apply a change to the latest state, again when somebody else came between; return what it became."""
        for _ in range(_ATTEMPTS):
            state = self.read()
            changed = change(state)
            if changed == state:
                return state
            try:
                return self.write(changed)
            except ReleaseConflictError:
                continue
        raise ReleaseStateError(f"{self._key} in Redis changes faster than it can be written; try again")

    def answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(self._client.ping())
        except redis.RedisError:
            return False

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _call(self, command: str, *arguments: Any) -> Any:
        try:
            return getattr(self._client, command)(*arguments)
        except redis.RedisError as error:
            raise ReleaseStateError(f"Redis did not do {command} {self._key} ({error}); is it up?") from error
