"""Checkpoints of one partition's card windows: a whole one, then increments, never ahead of what is acknowledged.

A whole one is a chain of files, each with some of the cards, taken while scoring goes on, and with what was stored
since the file before. An increment holds what was stored alone. So no file is large, nothing waits for one, and what is
written grows with the traffic, not with the cards.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from numpy.typing import NDArray

from models.errors import FraudstreamError, one_line
from models.features.card_state import CardArrays, check_card_arrays, packed
from stream_app.checkpoints import CheckpointError, CheckpointStore
from stream_app.scoring.acknowledgements import Acknowledgements
from stream_app.scoring.lane import Lane

log = logging.getLogger(__name__)

CARDS_AT_ONCE: Final = 4_096
"""Cards of a file of a whole checkpoint: with 30 transactions each they make 3 MB. Twice as many stop scoring for 15 ms
now and then instead of 8 (bench/bench_restart.py)."""


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


def restore(store: CheckpointStore, kind: str, not_beyond: int | None, epoch: int = 0) -> Restored | None:
    """The newest valid chain of checkpoints whose offset is not beyond a limit (None: no limit).

    A chain with a part that is cut short, changed, gone or of an earlier epoch is passed over for the next older one,
    with a warning that names it and the reason.

    Parameters
    ----------
    epoch:
        The epoch that goes on: what an earlier one counted may be of other transactions at the same offsets.
    """
    names = store.names(kind)
    for name in reversed(names):
        named = _NAME.fullmatch(name)
        if named is None or named["form"] == _PART or (not_beyond is not None and int(named["offset"]) > not_beyond):
            continue
        try:
            return _restored(store, kind, name, epoch)
        except FraudstreamError as error:
            log.warning("checkpoint passed over: %s", error)
    if not names:
        _say_whose(store, kind)
    return None


_NAME = re.compile(r"(?P<offset>\d{20})\.\d{6}\.[^/\\\0]+\.(?P<form>part|whole|increment)")


_PART, _WHOLE, _INCREMENT = "part", "whole", "increment"
"""Forms: some of the cards, of no use without the others behind it; the last of them; what was stored since."""


class _Header(msgspec.Struct, frozen=True):
    """What `LaneCheckpoints` writes beside the arrays, as far as it is read back."""

    offset: int
    partitions: int
    parent: str | None
    epoch: int = 0
    cold_before: int | None = 0


def _restored(store: CheckpointStore, kind: str, newest: str, epoch: int) -> Restored:
    """One chain; raises CheckpointError or CardArraysError when any part of it is not what it should be."""
    headers: list[_Header] = []
    parts: list[dict[str, NDArray[Any]]] = []
    name: str | None = newest
    while name is not None:
        checkpoint = store.read(kind, name)
        check_card_arrays(checkpoint.arrays)
        try:
            header = msgspec.convert(checkpoint.header, _Header)
        except msgspec.ValidationError as error:
            raise CheckpointError(f"checkpoint {kind}/{name} has another header: {one_line(error)}") from None
        _check(kind, name, header, epoch)
        headers.append(header)
        parts.append(checkpoint.arrays)
        name = header.parent
    return Restored(headers[0].offset, headers[0].partitions, headers[0].cold_before, parts[::-1])


def _check(kind: str, name: str, header: _Header, epoch: int) -> None:
    if header.epoch < epoch:
        raise CheckpointError(f"checkpoint {kind}/{name} is of epoch {header.epoch}, which epoch {epoch} has replaced")
    named = _NAME.fullmatch(name)
    if named is None or int(named["offset"]) != header.offset:
        raise CheckpointError(f"checkpoint {kind}/{name} says that it is of offset {header.offset}")
    parent = header.parent
    if parent is not None and (parent >= name or _NAME.fullmatch(parent) is None):
        raise CheckpointError(f"checkpoint {kind}/{name} builds on {parent!r:.80}, which is no earlier one")


def _say_whose(store: CheckpointStore, kind: str) -> None:
    """Say whose checkpoints there are when there are none of this feature set."""
    folder, _, feature_set = kind.rpartition("/")
    others = [name for name in store.kinds(folder) if name != feature_set and store.names(f"{folder}/{name}")]
    if others:
        log.warning(
            "no checkpoint of feature set %s in %s/%s; passed over: those of %s, whose windows are not its own",
            feature_set, store.url, folder, ", ".join(others),
        )  # fmt: skip


class LaneCheckpoints:
    """Writes one lane's checkpoints; each file names the one it builds on.

    Parameters
    ----------
    increments:
        How many increments follow a whole checkpoint before the next whole one.
    cards_at_once:
        Cards of a file of a whole one.
    """

    def __init__(
        self,
        store: CheckpointStore,
        lane: Lane,
        feature_set: str,
        increments: int,
        cards_at_once: int = CARDS_AT_ONCE,
    ) -> None:
        self._store = store
        self._lane = lane
        self._kind = kind_of(lane.identity.topic_id, lane.identity.partition, feature_set)
        self._increments = increments
        self._cards_at_once = cards_at_once
        self._parent: str | None = None
        self._since_base = 0
        self._written_offset = -1
        self._sequence = 0
        self._base: str | None = None
        self._writing = asyncio.Lock()
        self.failures = 0

    async def write(self, done: Acknowledgements) -> int:
        """Take the state, wait until all below it is acknowledged, write it; returns bytes (0: nothing was new).

        A storage that refuses does not stop scoring: the next checkpoint is a whole one, and a restart replays more.
        """
        async with self._writing:
            offset = self._lane.next_offset
            if offset == self._written_offset or offset < self._lane.start.output_offset:
                return 0
            whole = self._parent is None or self._since_base >= self._increments
            try:
                return await (self._write_whole(done) if whole else self._write_increment(done))
            except CheckpointError as error:
                log.error("%s", error)  # noqa: TRY400  one line; the state is written whole at the next try
                self._parent = None
                self.failures += 1
                return 0

    async def _write_increment(self, done: Acknowledgements) -> int:
        offset, taken = self._lane.next_offset, self._lane.cards.taken()
        arrays = await asyncio.to_thread(packed, taken)
        await done.reached(offset)
        _, size = await self._put(offset, arrays, _INCREMENT)
        self._since_base += 1
        self._written_offset = offset
        return size

    async def _write_whole(self, done: Acknowledgements) -> int:
        self._parent, left, size = None, self._lane.cards.cards, 0
        files: list[str] = []
        for arrays in self._lane.cards.parts(self._cards_at_once):
            offset, left = self._lane.next_offset, left - len(arrays["cards"])
            if not left:
                await done.reached(offset)
            name, part_size = await self._put(offset, arrays, _PART if left else _WHOLE)
            files, size = [*files, name], size + part_size
        self._since_base, self._written_offset = 0, offset
        await asyncio.to_thread(self._forget_before, self._base)
        self._base = files[0]
        return size

    async def _put(self, offset: int, arrays: CardArrays, form: str) -> tuple[str, int]:
        identity = self._lane.identity
        name = f"{offset:020d}.{self._sequence:06d}.{identity.writer}.{form}"
        header = {
            "offset": offset,
            "epoch": identity.epoch,
            "topic_id": identity.topic_id,
            "partition": identity.partition,
            "partitions": identity.partitions,
            "writer": identity.writer,
            "cold_before": self._lane.cold_before,
            "parent": self._parent,
        }
        size = await asyncio.to_thread(self._store.write, self._kind, name, header, arrays)
        self._sequence += 1
        self._parent = name
        return name, size

    def _forget_before(self, base: str | None) -> None:
        """Delete what is older than the previous whole checkpoint: two whole chains stay."""
        if base is None:
            return
        for name in self._store.names(self._kind):
            if name < base:
                self._store.delete(self._kind, name)
