"""Crashes of an archiver at a named step, put in before its command runs; called in the child process only."""

import functools
import os
import signal
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from stream_app.archive.delta_table import ArchiveTable
from stream_app.archive.outbox import Outbox

_appended = False


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _write(table: ArchiveTable, rows: pa.Table, positions: Any, *, whole: Any, dies_before: str | None) -> None:
    global _appended  # noqa: PLW0603  one process, one crash
    if rows.num_rows and table.name == dies_before:
        _crash()
    whole(table, rows, positions)
    _appended = _appended or bool(rows.num_rows)


def _watch_appends(dies_before: str | None = None) -> None:
    whole = ArchiveTable.append

    def append(table: ArchiveTable, rows: pa.Table, positions: Any) -> None:
        _write(table, rows, positions, whole=whole, dies_before=dies_before)

    ArchiveTable.append = append  # type: ignore[method-assign, assignment]


def dies_before_the_commit_of(table: str) -> None:
    """What the table before it in the order took is committed, the rest is not."""
    _watch_appends(table)


def dies_before_a_dead_letter_is_acknowledged() -> None:
    """A dead letter has been handed to the producer and the process is gone before an answer can come."""
    whole = Outbox.bury

    def bury(outbox: Outbox, *arguments: Any) -> None:
        whole(outbox, *arguments)
        _crash()

    Outbox.bury = bury  # type: ignore[method-assign, assignment]


def dies_before_the_announcement() -> None:
    """All four tables are committed and nobody knows."""
    _watch_appends()
    whole = Outbox.announce

    def announce(outbox: Outbox, *arguments: Any) -> None:
        if _appended:
            _crash()
        whole(outbox, *arguments)

    Outbox.announce = announce  # type: ignore[method-assign, assignment]


def dies_after_the_announcement() -> None:
    """The announcement is acknowledged and the process does not come to remember it."""
    _watch_appends()
    whole = Outbox.announce

    def announce(outbox: Outbox, *arguments: Any) -> None:
        whole(outbox, *arguments)
        if _appended:
            _crash()

    Outbox.announce = announce  # type: ignore[method-assign, assignment]


def dies_at_compaction(*, after: bool) -> None:
    """An event day is about to be compacted, or has just been."""
    whole = ArchiveTable.compact

    def compact(table: ArchiveTable, day: int) -> int:
        if after:
            whole(table, day)
        _crash()
        return 0

    ArchiveTable.compact = compact  # type: ignore[method-assign, assignment]


STEPS: dict[str, Callable[[], None]] = {
    "before a dead letter is acknowledged": dies_before_a_dead_letter_is_acknowledged,
    "before transactions": functools.partial(dies_before_the_commit_of, "transactions"),
    "before labels": functools.partial(dies_before_the_commit_of, "labels"),
    "before features": functools.partial(dies_before_the_commit_of, "features"),
    "before scores": functools.partial(dies_before_the_commit_of, "scores"),
    "before the announcement": dies_before_the_announcement,
    "after the announcement": dies_after_the_announcement,
    "before compaction": functools.partial(dies_at_compaction, after=False),
    "after compaction": functools.partial(dies_at_compaction, after=True),
}
"""Every step that leaves something behind; the end of one table's commit is the beginning of the next."""
