"""A lease in Redis: one holder at a time, numbered so that a former one can be told from the present one."""

import time
from collections.abc import Callable
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from models.errors import FraudstreamError

_ACQUIRE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local epoch = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1] .. '@' .. epoch, 'PX', ARGV[2])
return epoch
"""
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


PROFILE_KEEPER: Final = "profile-keeper"
"""Key of the profile keeper's lease, without prefix."""


def epoch_key(lease: str) -> str:
    """Return the key that counts the holders of a lease."""
    return f"{lease}-epoch"


class LeaseLostError(FraudstreamError):
    """Raised when this process may no longer act as the holder."""


class Lease:
    """Exclusive right to act, as long as it is renewed.

    The number of the holder grows with each acquisition and never goes back (a fencing token), so what a former
    holder still writes can be told by its lower number. The holder counts its own time from before a renewal was
    sent, so it stops before another can start.

    Parameters
    ----------
    client: Redis.
    key: key of the lease; `key + "-epoch"` counts the holders.
    holder: name of this process.
    lease_s: time after which a lease that was not renewed is free.
    clock_s: clock in seconds that goes on while the process is stopped or the machine sleeps.
    """

    def __init__(
        self, client: Redis, key: str, holder: str, lease_s: float, clock_s: Callable[[], float] | None = None
    ) -> None:
        self.epoch = 0
        self._client = client
        self._key = key
        self._holder = holder
        self._lease_s = lease_s
        self._clock_s = clock_s or _since_boot_s
        self._confirmed_at_s = -float("inf")

    @property
    def renew_every_s(self) -> float:
        """Time between renewals: two may fail before the lease is lost."""
        return self._lease_s / 4

    async def acquire(self) -> bool:
        """Take the lease if it is free."""
        sent_at_s = self._clock_s()
        epoch = int(await self._client.eval(_ACQUIRE, 2, self._key, epoch_key(self._key), self._holder, self._lease_ms))
        if epoch:
            self.epoch, self._confirmed_at_s = epoch, sent_at_s
        return bool(epoch)

    async def renew(self) -> None:
        """Hold it for another period; raises LeaseLostError when it is lost or Redis has been silent for too long."""
        sent_at_s = self._clock_s()
        try:
            renewed = int(await self._client.eval(_RENEW, 1, self._key, self._token, self._lease_ms))
        except (RedisError, OSError):
            self.check()
            return
        if not renewed:
            raise LeaseLostError(
                f"lease {self._key} is lost: {self._token} no longer holds it; the present holder carries on"
            )
        self._confirmed_at_s = sent_at_s

    def check(self) -> None:
        """Raise LeaseLostError unless the lease is certain to be held right now."""
        silent_s = self._clock_s() - self._confirmed_at_s
        if silent_s >= self._lease_s:
            raise LeaseLostError(
                f"lease {self._key} is lost: not renewed for {silent_s:.1f} of {self._lease_s:g} s; another may hold it"
            )

    async def release(self) -> None:
        """Free the lease at once, if it is still held."""
        await self._client.eval(_RELEASE, 1, self._key, self._token)

    @property
    def _token(self) -> str:
        return f"{self._holder}@{self.epoch}"

    @property
    def _lease_ms(self) -> int:
        return int(self._lease_s * 1000)


def _since_boot_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
