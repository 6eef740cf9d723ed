"""Who holds which case: a claim in Redis that runs out by itself, so that no case is handed out twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis

from models.access.redis_access import failure
from models.errors import FraudstreamError

HOLD_S: Final = 120.0
"""A page renews its claim every half minute; one whose analyst has gone home frees the case in two."""

_TAKE: Final = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
"""
_FREE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
_LINGERS_MS: Final = 5_000
"""A decided case stays claimed until every console has read the statement; else one could hand it out once more."""


class ClaimError(FraudstreamError):
    """Raised when Redis does not answer, or another holds what is to be decided."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of all consoles on one Redis.

    Parameters
    ----------
    client: Redis.
    prefix: stands before every key.
    hold_s: a claim that is not renewed ends after so long.
    """

    client: redis.Redis
    prefix: str
    hold_s: float = HOLD_S

    def take(self, transaction_id: str, person: str) -> str:
        """Claim a case, or renew the claim; return who holds it, which may be another."""
        key, hold_ms = self._key(transaction_id), int(self.hold_s * 1000)
        return _name(self._call("eval", _TAKE, 1, key, person, hold_ms))

    def require(self, transaction_id: str, person: str) -> None:
        """Claim a case; raises ClaimError where another holds it."""
        holder = self.take(transaction_id, person)
        if holder != person:
            raise ClaimError(f"{holder} holds {transaction_id}; take the next one, or wait until it is free")

    def free(self, transaction_id: str, person: str, *, decided: bool = False) -> None:
        """Give a case back, if this person still holds it: at once, or a little later where it is decided."""
        self._call("eval", _FREE, 1, self._key(transaction_id), person, _LINGERS_MS if decided else 0)

    def holders(self, transaction_ids: Sequence[str]) -> dict[str, str]:
        """Who holds which of some cases; the free ones are left out."""
        if not transaction_ids:
            return {}
        held: Any = self._call("mget", [self._key(each) for each in transaction_ids])
        return {name: _name(by) for name, by in zip(transaction_ids, held, strict=True) if by is not None}

    def _key(self, transaction_id: str) -> str:
        return f"{self.prefix}review-claim:{transaction_id}"

    def _call(self, command: str, *arguments: object) -> object:
        try:
            answer: object = getattr(self.client, command)(*arguments)
        except redis.RedisError as error:
            raise ClaimError(failure(error, self.client)) from error
        return answer


def _name(held: object) -> str:
    return held.decode("utf-8", "replace") if isinstance(held, bytes) else str(held)
