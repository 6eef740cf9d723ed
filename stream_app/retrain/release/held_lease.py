"""The release loop's lease, for a thread without an event loop: taken when free, renewed when due."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from redis.exceptions import RedisError

from models.access.redis_access import RELEASER, async_redis_client
from stream_app.lease import Lease

STANDBY_S: Final = 0.5


class HeldLease:
    """A `Lease` whose calls wait.

    Parameters
    ----------
    redis_url: Redis' address.
    key: of the lease.
    holder: name of this process.
    lease_s: time after which a lease that was not renewed is free.
    clock_s: seconds that only grow.
    """

    def __init__(
        self, redis_url: str, key: str, holder: str, lease_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._redis = async_redis_client(redis_url, RELEASER)
        self._lease = Lease(self._redis, key, holder, lease_s)
        self._clock_s = clock_s
        self._held = False
        self._due_s = -float("inf")

    def hold(self) -> bool:
        """Whether it is held: takes it if it is free, renews it if that is due; raises LeaseLostError once it is lost.

        While Redis is silent it counts as held for as long as nobody else can have it.
        """
        now_s = self._clock_s()
        if now_s < self._due_s:
            if self._held:
                self._lease.check()
            return self._held
        if self._held:
            self._loop.run_until_complete(self._lease.renew())
        else:
            self._held = self._taken()
        self._due_s = now_s + (self._lease.renew_every_s if self._held else STANDBY_S)
        return self._held

    def check(self) -> None:
        """Raise LeaseLostError unless it is certain to be held right now."""
        self._lease.check()

    def close(self) -> None:
        """Free it and disconnect."""
        if self._held:
            self._loop.run_until_complete(self._release())
        self._loop.run_until_complete(self._redis.aclose())
        self._loop.close()

    def _taken(self) -> bool:
        try:
            return bool(self._loop.run_until_complete(self._lease.acquire()))
        except (RedisError, OSError):
            return False

    async def _release(self) -> None:
        try:
            await self._lease.release()
        except (RedisError, OSError):
            # It ends by itself: nobody renews it any more.
            return
