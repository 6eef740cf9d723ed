"""One announcement of the archive, and where it lay."""

from dataclasses import dataclass

from models.schema.archive_commit import ArchiveCommit
from models.schema.topics import DAY_MS


@dataclass(frozen=True, slots=True)
class AnnouncedCommit:
    """A state of the archive.

    Attributes
    ----------
    offset: of the announcement in `archive-commits`.
    event_id: id of the announcement.
    archive_id: what tells this archive from another one at the same place.
    commit: versions and watermark.
    trace: W3C traceparent of what announced it; None where nobody traces.
    """

    offset: int
    event_id: str
    archive_id: str
    commit: ArchiveCommit
    trace: str | None = None

    @property
    def last_closed_day(self) -> int:
        """Last event day that the watermark has closed; -1 while none is known."""
        return self.commit.watermark // DAY_MS - 1
