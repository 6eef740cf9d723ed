"""One agent's way with a closed day: read its rows, find, publish, and remember that it is done."""

import asyncio
import logging
import time
from contextlib import AbstractContextManager

from opentelemetry.trace import Span, SpanKind

from models.drift.words import date
from models.schema.topics import ARCHIVE_COMMITS, DAY_MS
from stream_app.lease import Lease
from stream_app.telemetry.about import about
from stream_app.telemetry.traces import messaging, span
from stream_app.watch.history.archived_days import ArchivedDays
from stream_app.watch.history.closings import KEPT_DAYS, Closing, Closings
from stream_app.watch.history.commit import AnnouncedCommit
from stream_app.watch.history.gauges import HistoryGauges
from stream_app.watch.history.publisher import Publisher
from stream_app.watch.history.watcher import OpenArchive, Watcher

log = logging.getLogger(__name__)


class DayCloser:
    """Closes days in order, each once.

    A closing is written when all that its day brought is acknowledged. Killed before that, the next one takes the day
    again: the same rows give the same ids, and the publisher leaves out what is there. What takes time runs in a
    thread, so that the lease is renewed meanwhile.

    Parameters
    ----------
    agent: name in logs and metrics.
    watcher: finds.
    closings: of this agent.
    open_archive: opens the archive.
    publisher: sends; set when the connections are there.
    lease: checked before a closing is written.
    gauges: metrics.
    topic_id: of `archive-commits`.
    from_day: first event day that is looked at; None takes the archive's first one behind `warm_up_days`.
    warm_up_days: days at the archive's beginning in which this agent would take windows that are filling for a change.
    """

    def __init__(
        self,
        agent: str,
        watcher: Watcher,
        closings: Closings,
        open_archive: OpenArchive,
        publisher: Publisher,
        lease: Lease,
        gauges: HistoryGauges,
        topic_id: str,
        from_day: int | None = None,
        warm_up_days: int = 0,
    ) -> None:
        self.agent = agent
        self.last: Closing | None = None
        self._watcher = watcher
        self._closings = closings
        self._open_archive = open_archive
        self._publisher = publisher
        self._lease = lease
        self._gauges = gauges
        self._topic_id = topic_id
        self._from_day = from_day
        self._warm_up_days = warm_up_days
        self._stopping = False

    async def restore(self) -> None:
        """Come to where the last holder of the lease has stopped."""
        began_s = time.monotonic()
        closings = await asyncio.to_thread(self._closings.all)
        if closings:
            self.last = closings[-1]
            await asyncio.to_thread(self._watcher.restore, closings, self._open_archive)
            self._gauges.see_position(self.agent, self.last.day, 0)
            took_s = time.monotonic() - began_s
            log.info("%s goes on behind %s (restored in %.1f s)", self.agent, _text(self.last.day), took_s)

    @property
    def next_offset(self) -> int | None:
        """Offset of the announcement to go on with; None where the topic is to be read from its beginning.

        It is that of the last closing: its announcement may have closed further days.
        """
        if self.last is None or self.last.commits_topic_id != self._topic_id:
            return None
        return self.last.commit_offset

    def stop(self) -> None:
        """End after the day under way; the rest is taken at the next start."""
        self._stopping = True

    async def handle(self, announced: AnnouncedCommit) -> None:
        """Close the days that an announcement has closed and that were not handled yet."""
        until = announced.last_closed_day
        if self.last is not None:
            self._closings.check(self.last, announced)
            if self.last.day >= until:
                return
        elif self._from_day is not None and self._from_day > until:
            return
        days = await asyncio.to_thread(self._open_archive, announced.commit.tables)
        with days:
            first = await asyncio.to_thread(self._first_day, days, until)
            for day in range(first, until + 1):
                if self._stopping:
                    return
                with about(causation_id=announced.event_id, event_day=_text(day)), _closing(self.agent, announced):
                    await self._close(day, days, announced)

    def _first_day(self, days: ArchivedDays, until: int) -> int:
        if self.last is not None:
            return self.last.day + 1
        first = days.first_day()
        if first is None:
            return until + 1
        wished = first + self._warm_up_days if self._from_day is None else self._from_day
        return max(first, until + 1 - KEPT_DAYS, wished)

    async def _close(self, day: int, days: ArchivedDays, announced: AnnouncedCommit) -> None:
        began_s = time.monotonic()
        found = await asyncio.to_thread(self._watcher.close, day, days, announced.event_id)
        self._gauges.see_sent(await self._publisher.publish(found))
        closing = Closing(
            day=day,
            tables=days.versions,
            commit_offset=announced.offset,
            commits_topic_id=self._topic_id,
            archive_id=announced.archive_id,
            state=self._watcher.state(),
        )
        self._lease.check()
        await asyncio.to_thread(self._closings.write, closing)
        self.last = closing
        took_s = time.monotonic() - began_s
        self._gauges.see_closing(self.agent, day, announced.last_closed_day - day, took_s)
        log.info(
            "%s closed %s in %.2f s: %d published", self.agent, _text(day), took_s, len(found),
            extra={"offset": announced.offset},
        )  # fmt: skip


def _closing(agent: str, announced: AnnouncedCommit) -> AbstractContextManager[Span]:
    about_record = messaging("process", ARCHIVE_COMMITS, offset=announced.offset, event_id=announced.event_id)
    return span(f"close day: {agent}", SpanKind.CONSUMER, parent=announced.trace, attributes=about_record)


def _text(day: int) -> str:
    return date(day * DAY_MS)
