"""What an agent does with a day that has closed, without Kafka."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from stream_app.watch.history.announcement import Announcement
from stream_app.watch.history.archived_days import ArchivedDays
from stream_app.watch.history.closings import Closing

OpenArchive = Callable[[Mapping[str, int]], ArchivedDays]
"""Opens the archive at versions of its tables."""


class Watcher(Protocol):
    """Takes closed days in order, each once, and returns what is to be published.

    The same days give the same announcements with the same ids.
    """

    def restore(self, closings: Sequence[Closing], open_archive: OpenArchive) -> None:
        """Come to the state after the last of the closings; nothing is published."""

    def close(self, day: int, days: ArchivedDays, cause: str) -> list[Announcement]:
        """Take a closed day; `cause` is the id of the event that closed it."""

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs beside the tables."""
