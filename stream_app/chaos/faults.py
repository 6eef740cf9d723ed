"""What goes wrong inside a process: each is called in it before its command runs."""

import os
import resource
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from stream_app.checkpoints import CheckpointError, CheckpointStore


def dies_in_checkpoint(order: str) -> None:
    """End the process by SIGKILL half-way through its first checkpoint after the file `order` has appeared."""
    whole = CheckpointStore.write

    def write(
        store: CheckpointStore, kind: str, name: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> int:
        if Path(order).exists():
            folder = Path(store.url) / kind
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f".{name}.half").write_bytes(b"FSCP0001")
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(store, kind, name, header, arrays)

    CheckpointStore.write = write  # type: ignore[method-assign]


def checkpoint_disk_is_full(after_s: float, for_s: float) -> None:
    """Let checkpoints be refused by the kernel for want of space, for a while: they are written to /dev/full."""
    whole, began_s = CheckpointStore.write, time.monotonic()

    def write(
        store: CheckpointStore, kind: str, name: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> int:
        if after_s <= time.monotonic() - began_s < after_s + for_s:
            try:
                with Path("/dev/full").open("wb", buffering=0) as full:
                    full.write(b"FSCP0001")
            except OSError as error:
                raise CheckpointError(f"checkpoint {kind}/{name} could not be written: {error}") from error
        return whole(store, kind, name, header, arrays)

    CheckpointStore.write = write  # type: ignore[method-assign]


def files_end_at(size_bytes: int) -> None:
    """Let the kernel refuse to make any file of this process larger, as a full disk does."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def clock_jumps(after_s: float, jumps_s: tuple[float, ...], each_s: float) -> None:
    """Let the wall clock of this process jump by so much, one after the other, and back; monotonic time goes on."""
    began_s, wall, wall_ns = time.monotonic(), time.time, time.time_ns

    def jump_s() -> float:
        place = int((time.monotonic() - began_s - after_s) // each_s)
        return jumps_s[place] if 0 <= place < len(jumps_s) else 0.0

    time.time = lambda: wall() + jump_s()
    time.time_ns = lambda: wall_ns() + int(jump_s() * 1e9)
