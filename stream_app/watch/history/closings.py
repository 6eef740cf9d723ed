"""Which event days were handled, and from which versions of the tables: kept in the checkpoint store."""

import logging
from typing import Any, Final

import msgspec

from models.errors import FraudstreamError
from stream_app.checkpoints import CheckpointError, CheckpointStore
from stream_app.watch.history.commit import AnnouncedCommit

log = logging.getLogger(__name__)

KEPT_DAYS: Final = 400
"""As long as `archive-commits` is kept. No test looks back further than a month, but an incident or ADWIN's window may
last longer, and a restart is to know of them what an undisturbed run would."""


class OtherArchiveError(FraudstreamError):
    """Raised when the closings speak of another archive than the one that is announced."""


class Closing(msgspec.Struct, frozen=True):
    """An event day that was handled: everything that it brought is acknowledged.

    Attributes
    ----------
    day: the event day.
    tables: version of each table that it was read from.
    commit_offset: offset in `archive-commits` of the announcement that closed it.
    commits_topic_id: id of that topic; an offset means nothing in another one.
    archive_id: of the archive.
    state: what the agent needs beside the tables to go on.
    """

    day: int
    tables: dict[str, int]
    commit_offset: int
    commits_topic_id: str
    archive_id: str
    state: dict[str, Any] = {}


class Closings:
    """The closings of one agent, one object each, written when all that a day brought is acknowledged.

    Parameters
    ----------
    store: where they lie; shared by all watchers.
    kind: their folder in it.
    kept_days: older ones are removed.
    """

    def __init__(self, store: CheckpointStore, kind: str, kept_days: int = KEPT_DAYS) -> None:
        self._store = store
        self._kind = kind
        self._kept_days = kept_days

    def write(self, closing: Closing) -> None:
        """Write one and remove those that are too old."""
        self._store.write(self._kind, _name(closing.day), msgspec.to_builtins(closing, str_keys=True), {})
        for name in self._store.names(self._kind):
            if name > _name(closing.day - self._kept_days):
                break
            self._store.delete(self._kind, name)

    def all(self) -> list[Closing]:
        """Every closing, the oldest day first, up to one that cannot be read: from its day on all is handled again."""
        closings = []
        for name in self._store.names(self._kind):
            try:
                header = self._store.read(self._kind, name).header
                closings.append(msgspec.convert(header, Closing, str_keys=True))
            except (CheckpointError, msgspec.ValidationError) as error:
                log.warning("event days from that of %s/%s on are handled again: %s", self._kind, name, error)
                break
        return closings

    def check(self, closing: Closing, announced: AnnouncedCommit) -> None:
        """Raise OtherArchiveError when an announcement is of another archive than a closing."""
        if closing.archive_id != announced.archive_id:
            raise OtherArchiveError(
                f"the archive was created again since event day {closing.day} was closed: what was seen until then is "
                f"of another history; remove {self._store.url}/{self._kind} or give another --checkpoints"
            )


def _name(day: int) -> str:
    return f"{max(0, day):08d}"
