"""What each scoring worker says of itself in Redis: which models it runs, which profiles it has applied."""

import contextlib
import time
from typing import cast

import msgspec
import redis

from models.schema import wire

STATUS_LIFETIME_MS = 5000
"""A status older than this is that of a worker that has gone."""


class WorkerStatus(msgspec.Struct, frozen=True):
    """One entry of the hash `{prefix}workers`, written at every change and every second.

    A worker has a placement once `placement_sequence` is that of the placement or a later one; each placed version is
    then in `models`, which score every batch, the champion first, or in `refused`.
    """

    writer: str
    pid: int
    web: str | None
    ready: bool
    model_version: str | None
    model_sequence: int
    profiles_as_of: int
    partitions: list[int]
    at: int
    placement_sequence: int = 0
    models: list[str] = []
    refused: list[str] = []


def workers_key(redis_prefix: str) -> str:
    """The hash that holds every worker's status."""
    return f"{redis_prefix}workers"


def live_workers(entries: dict[bytes, bytes], now_ms: int) -> list[WorkerStatus]:
    """Statuses, out of a HGETALL, that are no older than STATUS_LIFETIME_MS."""
    statuses = []
    for value in entries.values():
        with contextlib.suppress(wire.RecordError):  # of no worker: every one writes its status again each second
            statuses.append(wire.decode(WorkerStatus, value))
    return [status for status in statuses if now_ms - status.at <= STATUS_LIFETIME_MS]


def read_workers(client: redis.Redis, redis_prefix: str) -> list[WorkerStatus]:
    """Return what the live workers say of themselves now."""
    entries = cast("dict[bytes, bytes]", client.hgetall(workers_key(redis_prefix)))
    return live_workers(entries, time.time_ns() // 1_000_000)
