"""Asks the archive once an event day what mature labels say of the champion and the model before it."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import duckdb
from deltalake.exceptions import DeltaError

from models.drift.words import date
from models.release.matured import MaturedRows
from models.release.state import ReleaseState
from models.schema.archive_commit import ArchiveCommit
from models.schema.model_event import Check
from models.schema.topics import DAY_MS
from stream_app.archive.history import ArchivedHistory
from stream_app.archive.tables import ArchiveMissingError
from stream_app.retrain.release.matured_rows import matured_rows

log = logging.getLogger(__name__)

_UNREADABLE: Final = (ArchiveMissingError, DeltaError, OSError, duckdb.IOException, duckdb.InvalidInputException)
"""No archive yet, a version that is no longer kept, a store that does not answer; the last two are DuckDB's words for
a file that it, or the stream that it reads, cannot get."""


class Releases(Protocol):
    """The release loop, as far as labels concern it; `ReleaseRunner` is one."""

    @property
    def active_state(self) -> ReleaseState | None:
        """Where the release stands; None while another process is the active one."""
        ...

    def matured(self, rows: MaturedRows, version: str, baseline: str) -> Check:
        """Judge rows that the champion and the model before it have scored; a bad verdict rolls back."""
        ...


class MaturedVerdicts:
    """Judges every event day as long as labels may roll the champion back, by whoever runs the release loop.

    After a crash the day is judged again: a verdict that is known changes nothing.

    Parameters
    ----------
    open_archive: opens the archive at table versions.
    newest: returns the archive's newest announcement, None before the first.
    releases: told the rows.
    maturity_ms: event time until labels count as complete.
    largest_weight: weight that no control row exceeds.
    wait_s: how long a turn with nothing to judge takes.
    """

    def __init__(
        self,
        open_archive: Callable[[Mapping[str, int]], ArchivedHistory],
        newest: Callable[[], ArchiveCommit | None],
        releases: Releases,
        *,
        maturity_ms: int,
        largest_weight: float,
        wait_s: float = 1.0,
    ) -> None:
        self._open_archive = open_archive
        self._newest = newest
        self._releases = releases
        self._maturity_ms = maturity_ms
        self._largest_weight = largest_weight
        self._wait_s = wait_s
        self._judged: tuple[str, int] | None = None
        self._told = False

    def turn(self) -> None:
        """Judge an event day that has not been judged yet, or wait a moment."""
        commit, state = self._newest(), self._releases.active_state
        if commit is None or state is None or not self._judge(state, commit):
            time.sleep(self._wait_s)

    def _judge(self, state: ReleaseState, commit: ArchiveCommit) -> bool:
        """Judge the rows that are mature by now; whether there was anything to judge."""
        version, baseline, since = state.version, state.baseline, state.promoted_at
        if state.stage not in {"watch", "maturing"} or version is None or baseline is None or since is None:
            return False
        day, until = (state.release, commit.watermark // DAY_MS), commit.watermark - self._maturity_ms
        if day == self._judged or until <= since:
            return False
        try:
            with self._open_archive(commit.tables) as history:
                rows = matured_rows(
                    history,
                    version,
                    baseline,
                    since=since,
                    until=until,
                    as_of=commit.watermark,
                    largest_weight=self._largest_weight,
                )
        except _UNREADABLE as error:
            self._tell(error)
            return False
        check = self._releases.matured(rows, version, baseline)
        self._judged, self._told = day, False
        log.info(
            "%s, labels as of %s: %s: %s", version, date(commit.watermark), check.verdict, check.sentence,
            extra={"model_version": version},
        )  # fmt: skip
        return True

    def _tell(self, error: Exception) -> None:
        """Say once that the archive cannot be read now."""
        if not self._told:
            log.warning("mature labels wait until the archive can be read: %s", error)
            self._told = True
