"""Holds a replay until every scorer has applied the profiles of a step, so that a figure does not depend on speed."""

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec
import redis

from models.errors import FraudstreamError
from models.schema import wire
from models.schema.clock_tick import ClockTick
from models.schema.topics import TopicNames
from models.schema.wire import encode
from producers.record_sink import RecordSink

ALIVE_MS: Final = 5000
"""A worker whose entry is older than this is dead."""
START_S: Final = 10.0
_SHORTEST_POLL_S: Final = 0.002
_LONGEST_POLL_S: Final = 0.02


class LockstepError(FraudstreamError):
    """Raised when no scorer is alive, or one does not follow."""


class _Worker(msgspec.Struct, frozen=True):
    writer: str
    profiles_as_of: int
    at: int


class Lockstep:
    """Ends each step with a tick of the clock, and waits for the scorers.

    Parameters
    ----------
    outbox: must track offsets.
    client: Redis, where scorers say which profiles they have applied.
    redis_prefix: what the keys there begin with.
    topics: names of the topics.
    patience_s: how long every scorer may stand still before it is an error.
    clock_s, sleep: the clock.
    """

    def __init__(
        self,
        outbox: RecordSink,
        client: "redis.Redis",
        redis_prefix: str,
        topics: TopicNames,
        *,
        patience_s: float = 60.0,
        clock_s: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._key = f"{redis_prefix}workers"
        self._topics = topics
        self._patience_s = patience_s
        self._clock_s = clock_s
        self._sleep = sleep

    def require_worker(self) -> None:
        """Wait until a scorer is alive.

        Raises
        ------
        LockstepError: when none is within START_S.
        """
        until_s = self._clock_s() + START_S
        while not self._workers():
            if self._clock_s() > until_s:
                raise LockstepError(
                    f"no scorer is alive: none has written to {self._key} in Redis within {ALIVE_MS / 1000:g} s; "
                    "start `fraudstream score` and `fraudstream watch`"
                )
            self._sleep(_LONGEST_POLL_S)

    def close_step(self, as_of: int) -> None:
        """End the step at an event time, once all before it is sent, and wait until every live scorer has applied it.

        Raises
        ------
        LockstepError: naming who lags and by what.
        """
        self._outbox.flush()
        tick = ClockTick(
            as_of,
            transactions_end=self._outbox.ends(self._topics.transactions),
            labels_end=self._outbox.ends(self._topics.labels),
        )
        self._outbox.send(self._topics.clock, None, encode(tick))
        self._outbox.flush()
        self._await(as_of)

    def _await(self, as_of: int) -> None:
        poll_s, applied, moved_s = _SHORTEST_POLL_S, -1, self._clock_s()
        while True:
            workers = self._workers()
            lagging = [worker for worker in workers if worker.profiles_as_of < as_of]
            if workers and not lagging:
                return
            now_s = self._clock_s()
            total = sum(worker.profiles_as_of for worker in workers)
            if total != applied:
                applied, moved_s = total, now_s
            if now_s - moved_s > self._patience_s:
                raise LockstepError(_lag(workers, lagging, as_of, self._patience_s))
            self._sleep(poll_s)
            poll_s = min(poll_s * 1.5, _LONGEST_POLL_S)

    def _workers(self) -> list[_Worker]:
        try:
            entries = self._client.hgetall(self._key)
        except redis.RedisError as error:
            raise LockstepError(f"Redis does not answer ({error}); check --redis") from None
        since_ms = self._clock_s() * 1000 - ALIVE_MS
        workers = []
        for entry in entries.values():
            with contextlib.suppress(wire.RecordError):  # of no worker: every one writes its status again each second
                workers.append(wire.decode(_Worker, entry if isinstance(entry, bytes) else entry.encode()))
        return [worker for worker in workers if worker.at >= since_ms]


def _lag(workers: list[_Worker], lagging: list[_Worker], as_of: int, patience_s: float) -> str:
    waiting = f"waiting {patience_s:g} s for the step of {moment(as_of)}"
    if not workers:
        return f"{waiting}: no scorer is alive; did `fraudstream score` end?"
    slowest = min(lagging, key=lambda worker: worker.profiles_as_of)
    applied = moment(slowest.profiles_as_of) if slowest.profiles_as_of > 0 else "no profiles yet"
    return (
        f"{waiting}: {len(lagging)} of {len(workers)} scorers lag, worker {slowest.writer} has applied {applied}; "
        "is `fraudstream watch` running?"
    )


def moment(at_ms: int) -> str:
    """Return an event time to the minute, UTC.

    Examples
    --------
    >>> moment(1_525_132_800_000)
    '2018-05-01T00:00Z'
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%MZ")
