"""What goes wrong inside a process: each is called in it before its command runs."""

import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from stream_app.checkpoints import CheckpointError, CheckpointStore

_LOOK_EVERY_S: Final = 0.05


class _Order:
    """A file that says when: faults begin when it appears."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._given_s: float | None = None
        self._looked_s = -_LOOK_EVERY_S

    def since_s(self) -> float | None:
        """Return how long ago it was given, in seconds; None before."""
        now_s = time.monotonic()
        if self._given_s is None and now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            self._given_s = now_s if self._path.exists() else None
        return None if self._given_s is None else now_s - self._given_s


def dies_in_checkpoint(order: str) -> None:
    """End the process by SIGKILL half-way through its first checkpoint after the order."""
    given = _Order(order)

    def before(store: CheckpointStore, kind: str, name: str) -> None:
        if given.since_s() is not None:
            folder = Path(store.url) / kind
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f".{name}.half").write_bytes(b"FSCP0001")
            os.kill(os.getpid(), signal.SIGKILL)

    _before_each_checkpoint(before)


def checkpoint_disk_is_full(order: str, for_s: float) -> None:
    """Let the kernel refuse checkpoints for want of space, for a while after the order: they go to /dev/full."""
    given = _Order(order)

    def before(_store: CheckpointStore, kind: str, name: str) -> None:
        since_s = given.since_s()
        if since_s is not None and since_s < for_s:
            try:
                with Path("/dev/full").open("wb", buffering=0) as full:
                    full.write(b"FSCP0001")
            except OSError as error:
                raise CheckpointError(f"checkpoint {kind}/{name} could not be written: {error}") from error

    _before_each_checkpoint(before)


def _before_each_checkpoint(before: Callable[[CheckpointStore, str, str], None]) -> None:
    whole: Any = CheckpointStore.write

    def write(store: CheckpointStore, kind: str, name: str, *content: Any) -> Any:
        before(store, kind, name)
        return whole(store, kind, name, *content)

    CheckpointStore.write = write  # type: ignore[method-assign, assignment]


def files_end_at(size_bytes: int) -> None:
    """Let the kernel refuse to make any file of this process larger, as a full disk does."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def clock_jumps(order: str, jumps_s: tuple[float, ...], each_s: float) -> None:
    """Let the wall clock of this process jump by so much, one after the other, and back; monotonic time goes on."""
    given, wall, wall_ns = _Order(order), time.time, time.time_ns

    def jump_s() -> float:
        since_s = given.since_s()
        place = -1 if since_s is None else int(since_s // each_s)
        return jumps_s[place] if 0 <= place < len(jumps_s) else 0.0

    time.time = lambda: wall() + jump_s()
    time.time_ns = lambda: wall_ns() + int(jump_s() * 1e9)
