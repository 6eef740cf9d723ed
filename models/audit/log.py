"""The audit chain in Redis."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import redis
from redis.client import Pipeline

from models.audit.chain import Entry, chained, decoded
from models.schema.audit_record import AuditRecord

Effects = Callable[[Pipeline, list[AuditRecord]], None]
"""Queues whatever is written in the same step as the records."""
Plan = Callable[[], tuple[Sequence[Entry], Effects | None]]
"""Looks at what Redis holds and says what to write; asked again when somebody else has written meanwhile."""

_PAGE: Final = 1_000
_RAISE: Final = """
if tonumber(redis.call('GET', KEYS[1]) or '0') < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
"""


class AuditLog:
    """Appends, and reads; there is nothing that changes or removes.

    Every write is one transaction that is carried out only if the chain has not grown since it was planned. So what
    is written together with records, as an alias with its move, is guarded by the chain's end.

    Parameters
    ----------
    client: Redis, returning bytes.
    prefix: stands before every key.
    now: wall clock in ms.
    failure: turns an error of Redis into the one that is raised.
    """

    def __init__(
        self,
        client: redis.Redis,
        prefix: str,
        now: Callable[[], int],
        failure: Callable[[redis.RedisError], Exception],
    ) -> None:
        self._client = client
        self._now = now
        self._failure = failure
        self._key = prefix + "audit"
        self._ids_key = prefix + "audit-ids"
        self._published_key = prefix + "audit-published"

    def append(self, entry: Entry) -> AuditRecord:
        """Write one record and return it; an entry whose `event_id` is there already returns that record."""
        found: list[AuditRecord] = []

        def plan() -> tuple[Sequence[Entry], None]:
            known = None if entry.event_id is None else self._call("hget", self._ids_key, entry.event_id)
            found[:] = [] if known is None else self.records(int(known), 1)
            return ([] if found else [entry]), None

        written = self.commit(plan)
        return (written or found)[0]

    def commit(self, plan: Plan) -> list[AuditRecord]:
        """Write what `plan` wants, all of it or nothing, and return the records."""
        try:
            with self._client.pipeline() as pipe:
                while True:
                    pipe.watch(self._key)  # type: ignore[no-untyped-call]
                    tail = pipe.lindex(self._key, -1)
                    entries, effects = plan()
                    if not entries:
                        return []
                    last = None if tail is None else decoded([tail], "Redis")[0]  # type: ignore[list-item]
                    records = chained(last, entries, self._now())
                    pipe.multi()
                    pipe.rpush(self._key, *[record.canonical() for record in records])
                    self._index(pipe, records)
                    if effects is not None:
                        effects(pipe, records)
                    try:
                        pipe.execute()
                    except redis.WatchError:
                        continue
                    return records
        except redis.RedisError as error:
            raise self._failure(error) from error

    def records(self, first: int = 1, count: int | None = None) -> list[AuditRecord]:
        """Return `count` records, all by default, from number `first` on; their chain is not checked."""
        return decoded(self.lines(first, count), "Redis")

    def lines(self, first: int = 1, count: int | None = None) -> list[bytes]:
        """Return the same as they are kept, not even decoded."""
        end = -1 if count is None else first + count - 2
        if count is not None and count < 1:
            return []
        lines: list[bytes] = self._call("lrange", self._key, first - 1, end)
        return lines

    def queue_read(self, pipe: Pipeline) -> None:
        """Queue the reading of all lines, to be read together with other keys as of one moment."""
        pipe.lrange(self._key, 0, -1)

    def head(self) -> AuditRecord | None:
        """Return the last record, None before the first."""
        tail = self._call("lindex", self._key, -1)
        return None if tail is None else decoded([tail], "Redis")[0]

    @property
    def published(self) -> int:
        """Number of the last record that Kafka has acknowledged."""
        return int(self._call("get", self._published_key) or 0)

    def mark_published(self, sequence: int) -> None:
        """Say that Kafka has acknowledged everything up to a record; the number only grows."""
        self._call("eval", _RAISE, 1, self._published_key, sequence)

    def set_aside(self) -> str | None:
        """Move the chain to a key of its own, where nothing reads it, and return that; None where there is no chain."""
        aside = f"{self._key}-aside-{self._now()}"
        if not self._call("exists", self._key):
            return None
        self._call("rename", self._key, aside)
        self._call("delete", self._ids_key, self._published_key)
        return aside

    def restore(self, records: Sequence[AuditRecord], effects: Effects) -> bool:
        """Write a checked chain into a Redis that has none, with what belongs to it; return whether it had none."""
        try:
            with self._client.pipeline() as pipe:
                pipe.watch(self._key)  # type: ignore[no-untyped-call]
                if pipe.exists(self._key):
                    return False
                pipe.multi()
                for start in range(0, len(records), _PAGE):
                    pipe.rpush(self._key, *[record.canonical() for record in records[start : start + _PAGE]])
                self._index(pipe, records)
                effects(pipe, list(records))
                try:
                    pipe.execute()
                except redis.WatchError:
                    return False
                return True
        except redis.RedisError as error:
            raise self._failure(error) from error

    def _index(self, pipe: Pipeline, records: Sequence[AuditRecord]) -> None:
        for record in records:
            if record.event_id is not None:
                pipe.hset(self._ids_key, record.event_id, str(record.sequence))

    def _call(self, command: str, *arguments: Any) -> Any:
        try:
            return getattr(self._client, command)(*arguments)
        except redis.RedisError as error:
            raise self._failure(error) from error
