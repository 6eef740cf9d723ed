"""The rows of event days, by model version, from the archive as it stood when they closed."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import TracebackType
from typing import Any, Self

import numpy as np

from models.metrics.scored_rows import ScoredRows
from stream_app.archive.history import ArchivedHistory
from stream_app.archive.tables import ArchiveMissingError

log = logging.getLogger(__name__)


class ArchivedDays:
    """Reads days at pinned versions of the tables; for one thread at a time.

    The archive deletes what only old versions need (`--keep-versions-days`). A version that is gone is read as the
    newest one: later statements are left out by `as_of_ms` all the same, so that what differs are rows which came late.

    Parameters
    ----------
    url: the archive's.
    storage_options: what its object store asks for.
    versions: version of each table.
    """

    def __init__(self, url: str, storage_options: Mapping[str, str], versions: Mapping[str, int]) -> None:
        self.versions = dict(versions)
        try:
            self._history = ArchivedHistory(url, versions, storage_options)
        except ArchiveMissingError as error:
            self._history = ArchivedHistory(url, None, storage_options)
            log.warning("reading the newest tables instead: %s", error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._history.close()

    def first_day(self) -> int | None:
        """First event day with a score; None without any."""
        days = self._history.days()
        return days[0] if days else None

    def rows(self, day: int, as_of_ms: int) -> list[ScoredRows]:
        """What each version decided on a day, as known at a moment; the version with most rows first."""
        return [self._history.scored_day(day, version, as_of_ms) for version in self._history.model_versions(day)]

    def range(self, first_day: int, behind_day: int, as_of_ms: int) -> list[ScoredRows]:
        """The same over several days, up to the one before `behind_day`; one entry for each version."""
        of_version: dict[str, list[ScoredRows]] = {}
        for day in range(first_day, behind_day):
            for rows in self.rows(day, as_of_ms):
                of_version.setdefault(rows.model_version, []).append(rows)
        return [joined(parts) for parts in of_version.values()]

    def restated_days(self, after_ms: int, until_ms: int) -> list[int]:
        """Event days whose transactions somebody made a statement about after one moment and up to another."""
        return self._history.restated_days(after_ms, until_ms)


def joined(parts: Sequence[ScoredRows]) -> ScoredRows:
    """Return the rows of days, one after the other, as one; all are of one version and as of one moment.

    Feature values of a day without any feature row are unknown, however wide the others are.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    width = max(part.values.shape[1] for part in parts)
    columns: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(first)
        if field.name not in {"model_version", "as_of", "values"}
    }
    values = [
        part.values if part.values.shape[1] == width else np.full((len(part), width), np.nan, np.float32)
        for part in parts
    ]
    return ScoredRows(**columns, values=np.concatenate(values), model_version=first.model_version, as_of=first.as_of)
