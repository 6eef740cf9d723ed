"""Keeps the number of small files down: those of event days that are over, a little after each commit."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from models.features.profile_keeper import STEP_MS
from models.schema.topics import DAY_MS
from stream_app.archive.delta_table import ArchiveTable

log = logging.getLogger(__name__)

GRACE_MS: Final = STEP_MS
"""A day is left alone for so long after its end: late transactions still come."""
OPEN_FACTOR: Final = 8
"""A day that is not over, or that late labels keep coming to, is compacted when it has so many times the files."""
VACUUM_EVERY_S: Final = 86_400.0
"""Files that no kept version needs are looked for once a day: it lists the whole storage."""


class Compactor:
    """Chooses event days and compacts them, the fullest first.

    Parameters
    ----------
    tables: all tables.
    small_files: a day with more small files than these is due.
    budget_s: no compaction is begun after so much time.
    """

    def __init__(self, tables: Sequence[ArchiveTable], small_files: int, budget_s: float) -> None:
        self._tables = tables
        self._small_files = small_files
        self._budget_s = budget_s
        self._vacuumed_at_s = time.monotonic()

    def run(self, watermark: int, check_lease: Callable[[], None]) -> Iterator[tuple[str, int]]:
        """Compact what is due; yield table and number of files for each day."""
        until_s = time.monotonic() + self._budget_s
        for files, at, day in sorted(self._due(watermark), reverse=True):
            if time.monotonic() >= until_s:
                return
            check_lease()
            table = self._tables[at]
            removed = table.compact(day)
            log.info("compacted %d of about %d files of day %d in %s", removed, files, day, table.name)
            yield table.name, removed
        if time.monotonic() - self._vacuumed_at_s >= VACUUM_EVERY_S:
            self._vacuumed_at_s = time.monotonic()
            for table in self._tables:
                log.info("deleted %d files of %s that no kept version needs", table.vacuum(), table.name)

    def _due(self, watermark: int) -> Iterator[tuple[int, int, int]]:
        for at, table in enumerate(self._tables):
            for day, files in table.small_files.items():
                is_over = (day + 1) * DAY_MS + GRACE_MS <= watermark
                if files > self._small_files * (1 if is_over else OPEN_FACTOR):
                    yield files, at, day
