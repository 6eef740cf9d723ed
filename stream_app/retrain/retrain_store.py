"""Requests on their way, reports and finished trainings in Redis: read by anybody, written by who saw the latest."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import redis

from models.errors import FraudstreamError
from stream_app.retrain.job import RetrainState
from stream_app.retrain.report import RetrainReport
from stream_app.retrain.training_order import TrainingOutcome

_TIMEOUT_S: Final = 5
# State, reports and outcomes change together or not at all; an empty value deletes.
_WRITE: Final = """
local stored = redis.call('GET', KEYS[1])
local revision = stored and cjson.decode(stored)['revision'] or 0
if revision ~= tonumber(ARGV[1]) then return 0 end
for at = 1, #KEYS do
  if ARGV[at + 1] == '' then redis.call('DEL', KEYS[at]) else redis.call('SET', KEYS[at], ARGV[at + 1]) end
end
return 1
"""


class RetrainStateError(FraudstreamError):
    """Raised when Redis does not answer, or holds a state that is none."""


class RetrainConflictError(FraudstreamError):
    """Raised when somebody else has written the state since it was read."""


class RetrainStore:
    """Everything of the retrainer under one key prefix.

    Parameters
    ----------
    client: a Redis address, or a client that returns bytes.
    prefix: stands before every key.
    """

    def __init__(self, client: "str | redis.Redis", prefix: str) -> None:
        self._client = (
            redis.Redis.from_url(client, socket_connect_timeout=_TIMEOUT_S) if isinstance(client, str) else client
        )
        self._prefix = prefix

    def read(self) -> RetrainState:
        """Return the state, an empty one before the first write."""
        return self._record("retrain", RetrainState) or RetrainState()

    def report(self, request_id: str) -> RetrainReport | None:
        """Return what became of a request; None where nobody has taken it."""
        report: RetrainReport | None = self._record(f"report:{request_id}", RetrainReport)
        return report

    def outcome(self, request_id: str) -> TrainingOutcome | None:
        """Return what the training of a request's try has brought, until the request is done or tried again."""
        content = self._call("get", self._prefix + f"retrain-outcome:{request_id}")
        return None if content is None else msgspec.msgpack.decode(content, type=TrainingOutcome)

    def write(
        self,
        state: RetrainState,
        reports: Mapping[str, RetrainReport] | None = None,
        outcomes: Mapping[str, TrainingOutcome | None] | None = None,
    ) -> RetrainState:
        """Write a state that was made from the latest, with what belongs to it; return it with its new revision.

        Parameters
        ----------
        reports: by request.
        outcomes: by request; None removes.

        Raises
        ------
        RetrainConflictError: the state was made from an older one: another worker has taken over.
        """
        written = msgspec.structs.replace(state, revision=state.revision + 1)
        values: dict[str, bytes] = {"retrain": msgspec.json.encode(written)}
        values |= {f"report:{name}": msgspec.json.encode(report) for name, report in (reports or {}).items()}
        for name, outcome in (outcomes or {}).items():
            values[f"retrain-outcome:{name}"] = b"" if outcome is None else msgspec.msgpack.encode(outcome)
        keys = [self._prefix + key for key in values]
        if not self._call("eval", _WRITE, len(keys), *keys, state.revision, *values.values()):
            raise RetrainConflictError(
                f"revision {state.revision} of {keys[0]} is not the latest: another retrainer has written; look there"
            )
        return written

    def answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(self._client.ping())
        except redis.RedisError:
            return False

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _record(self, key: str, record: type[Any]) -> Any:
        content = self._call("get", self._prefix + key)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=record)
        except msgspec.MsgspecError as error:
            raise RetrainStateError(
                f"{self._prefix}{key} in Redis is no {record.__name__} ({error}); was it written by another version?"
            ) from None

    def _call(self, command: str, *arguments: Any) -> Any:
        try:
            return getattr(self._client, command)(*arguments)
        except redis.RedisError as error:
            raise RetrainStateError(f"Redis did not do {command} for the retrainer ({error}); is it up?") from error
