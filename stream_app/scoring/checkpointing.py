"""Checkpoints of one partition's card windows: a whole one, then increments, never ahead of what is acknowledged."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from stream_app.checkpoints import Checkpoint, CheckpointError, CheckpointStore
from stream_app.scoring.acknowledgements import Acknowledgements
from stream_app.scoring.lane import Lane

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """Card windows as they were at `offset`: parts to apply in order, and until when they are not full."""

    offset: int
    partitions: int
    cold_before: int | None
    parts: list[dict[str, NDArray[Any]]]


def kind_of(topic_id: str, partition: int, feature_set: str) -> str:
    """The folder of a partition's checkpoints: another topic, or another feature set, never finds them."""
    return f"cards/{topic_id.replace(chr(47), chr(95))}/{partition}/{feature_set}"


def restore(store: CheckpointStore, kind: str, not_beyond: int | None) -> Restored | None:
    """The newest valid chain of checkpoints whose offset is not beyond a limit (None: no limit).

    A chain with a part that is cut short, changed or gone is passed over for the next older one, with a warning.
    """
    for name in reversed(store.names(kind)):
        if not_beyond is not None and int(name.split(".")[0]) > not_beyond:
            continue
        try:
            chain = list(_chain(store, kind, name))
        except CheckpointError as error:
            log.warning("checkpoint passed over: %s", error)
            continue
        newest, parts = chain[0].header, [part.arrays for part in reversed(chain)]
        return Restored(newest["offset"], newest["partitions"], newest.get("cold_before", 0), parts)
    return None


def _chain(store: CheckpointStore, kind: str, name: str | None) -> Iterator[Checkpoint]:
    while name is not None:
        checkpoint = store.read(kind, name)
        yield checkpoint
        name = checkpoint.header["parent"]


class LaneCheckpoints:
    """Writes one lane's checkpoints; each names the one it builds on.

    Parameters
    ----------
    increments:
        How many increments follow a whole checkpoint before the next whole one.
    """

    def __init__(self, store: CheckpointStore, lane: Lane, feature_set: str, increments: int) -> None:
        self._store = store
        self._lane = lane
        self._kind = kind_of(lane.identity.topic_id, lane.identity.partition, feature_set)
        self._increments = increments
        self._parent: str | None = None
        self._since_base = 0
        self._written_offset = -1
        self._sequence = 0
        self._base: str | None = None
        self._writing = asyncio.Lock()

    async def write(self, done: Acknowledgements) -> int:
        """Take the state now, wait until all below it is acknowledged, write it; returns bytes (0: nothing was new).

        A storage that refuses does not stop scoring: the next checkpoint is a whole one, and a restart replays more.
        """
        async with self._writing:
            offset = self._lane.next_offset
            if offset == self._written_offset or offset < self._lane.start.output_offset:
                return 0
            whole = self._parent is None or self._since_base >= self._increments
            arrays = self._lane.cards.everything() if whole else self._lane.cards.take_changes()
            if whole:
                self._lane.cards.take_changes()
            await done.reached(offset)
            return await self._write(offset, arrays, whole=whole)

    async def _write(self, offset: int, arrays: dict[str, NDArray[Any]], *, whole: bool) -> int:
        identity = self._lane.identity
        form = "whole" if whole else "increment"
        name = f"{offset:020d}.{self._sequence:06d}.{identity.writer}.{form}"
        header = {
            "offset": offset,
            "epoch": identity.epoch,
            "topic_id": identity.topic_id,
            "partition": identity.partition,
            "partitions": identity.partitions,
            "writer": identity.writer,
            "cold_before": self._lane.cold_before,
            "parent": None if whole else self._parent,
        }
        try:
            size = await asyncio.to_thread(self._store.write, self._kind, name, header, arrays)
        except CheckpointError as error:
            log.error("%s", error)  # noqa: TRY400  one line; the state is written whole at the next try
            self._parent = None
            return 0
        self._sequence += 1
        self._parent, self._written_offset = name, offset
        self._since_base = 0 if whole else self._since_base + 1
        if whole:
            await asyncio.to_thread(self._forget_before, self._base)
            self._base = name
        return size

    def _forget_before(self, base: str | None) -> None:
        """Delete what is older than the previous whole checkpoint: two whole chains stay."""
        if base is None:
            return
        for name in self._store.names(self._kind):
            if name < base:
                self._store.delete(self._kind, name)
