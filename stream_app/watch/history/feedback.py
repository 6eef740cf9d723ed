"""The feedback agent's work: the performance of weeks that have matured or were restated."""

from collections.abc import Sequence
from typing import Any

import msgspec

from models.metrics.ledger import LedgerState, PerformanceLedger
from models.metrics.ledger_settings import LedgerSettings
from models.schema.topics import DAY_MS
from stream_app.watch.history.announcement import Announcement, of_performance
from stream_app.watch.history.archived_days import ArchivedDays
from stream_app.watch.history.closings import Closing
from stream_app.watch.history.watcher import OpenArchive


class Feedback:
    """Feeds a ledger; its state is small and kept in each closing.

    Parameters
    ----------
    settings: of the ledger.
    from_day: first event day that is measured; None measures all.
    """

    def __init__(self, settings: LedgerSettings, from_day: int | None = None) -> None:
        self._ledger = PerformanceLedger(settings)
        self._from_day = from_day

    def restore(self, closings: Sequence[Closing], _open_archive: OpenArchive) -> None:
        """Go on from the last closing."""
        if closings:
            state = msgspec.convert(closings[-1].state, LedgerState, str_keys=True)
            self._ledger = PerformanceLedger(self._ledger.settings, state)

    def close(self, day: int, days: ArchivedDays, cause: str) -> list[Announcement]:
        """Return the weeks that are due."""
        as_of = (day + 1) * DAY_MS
        # Whoever states something states it before the watermark comes to that moment, so nothing falls in between.
        changed = days.restated_days(as_of - DAY_MS, as_of)
        if self._from_day is not None:
            changed = [one for one in changed if one >= self._from_day]
        records = self._ledger.close_day(day, days.range, changed, days.versions)
        return [of_performance(record, cause) for record in records]

    def state(self) -> dict[str, Any]:
        """Return the ledger's state."""
        state: dict[str, Any] = msgspec.to_builtins(self._ledger.state, str_keys=True)
        return state
