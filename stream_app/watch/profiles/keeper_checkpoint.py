"""A keeper's checkpoint: its state and the input offsets that belong to it, as one unit."""

import logging
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from stream_app.checkpoints import CheckpointStore
from stream_app.watch.profiles.keeper import KeeperState

log = logging.getLogger(__name__)

Arrays = dict[str, npt.NDArray[np.generic]]


class KeeperCheckpointError(FraudstreamError):
    """Raised when the newest checkpoint does not belong to the topics as they are."""


class KeeperCheckpoint(msgspec.Struct, frozen=True):
    """What the header of a checkpoint holds.

    Attributes:
        keeper: name of the process that wrote it.
        keeper_epoch: its number as holder of the lease; with `sequence` it orders checkpoints.
        sequence: counts checkpoints, on through restarts.
        offsets: by topic and partition the next offset to read.
        topic_ids: by topic the id that the broker gave it when it was created.
        state: the small part of the keeper's state.
    """

    keeper: str
    keeper_epoch: int
    sequence: int
    offsets: dict[str, dict[int, int]]
    topic_ids: dict[str, str]
    state: KeeperState

    @property
    def name(self) -> str:
        """Sorts behind every earlier one; what a former holder still writes sorts before its successor's."""
        return f"{self.keeper_epoch:010d}-{self.sequence:010d}"

    def check_topics(self, topic_ids: dict[str, str], where: str) -> None:
        """Raise KeeperCheckpointError when a topic was created again since."""
        for topic, topic_id in self.topic_ids.items():
            if topic_ids.get(topic) != topic_id:
                raise KeeperCheckpointError(
                    f"topic {topic} was created again (id {topic_ids.get(topic)}, checkpoint {self.name} in {where} "
                    f"knows {topic_id}): the counts are of another history; remove those checkpoints or give another "
                    "--checkpoints"
                )


class KeeperCheckpoints:
    """The checkpoints of one set of topics.

    Parameters
    ----------
    store: where they lie; shared by all keepers.
    kind: their folder in it.
    kept: how many of the newest are left when one is written.
    """

    def __init__(self, store: CheckpointStore, kind: str, kept: int) -> None:
        self._store = store
        self._kind = kind
        self._kept = kept

    def write(self, checkpoint: KeeperCheckpoint, arrays: Arrays) -> int:
        """Write one, remove old ones, and return its size in bytes."""
        header = msgspec.to_builtins(checkpoint, str_keys=True)
        written = self._store.write(self._kind, checkpoint.name, header, arrays)
        for name in self._store.names(self._kind)[: -self._kept]:
            self._store.delete(self._kind, name)
        return written

    def newest(self) -> tuple[KeeperCheckpoint, Arrays] | None:
        """The newest that can be read, None when there is none."""
        return next(self.readable(), None)

    def readable(self) -> Iterator[tuple[KeeperCheckpoint, Arrays]]:
        """Those that can be read, the newest first; one that is passed over is named in the log with the reason."""
        for found in self._store.readable(self._kind):
            try:
                checkpoint = msgspec.convert(found.header, KeeperCheckpoint, str_keys=True)
            except msgspec.ValidationError as error:
                log.warning("checkpoint passed over: %s/%s has another header: %s", self._kind, found.name, error)
                continue
            yield checkpoint, found.arrays

    @property
    def where(self) -> str:
        """Their place, for messages."""
        return f"{self._store.url}/{self._kind}"
