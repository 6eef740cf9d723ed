"""A day from its rows to its closing, with everything around it faked."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import pytest
from prometheus_client import CollectorRegistry

from models.schema.archive_commit import ArchiveCommit
from models.schema.cloud_event import CloudEvent
from models.schema.topics import DAY_MS, DRIFT_EVENTS
from stream_app.checkpoints import CheckpointStore
from stream_app.lease import Lease, LeaseLostError
from stream_app.watch.history.announcement import Announcement
from stream_app.watch.history.archived_days import ArchivedDays
from stream_app.watch.history.closer import DayCloser
from stream_app.watch.history.closings import KEPT_DAYS, Closing, Closings, OtherArchiveError
from stream_app.watch.history.commit import AnnouncedCommit
from stream_app.watch.history.gauges import HistoryGauges
from stream_app.watch.history.publisher import Publisher


class FakeDays:
    """An archive whose first scores are of some day."""

    def __init__(self, versions: dict[str, int], first: int | None) -> None:
        self.versions, self._first = versions, first

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def first_day(self) -> int | None:
        return self._first


class FakeWatcher:
    """Finds one thing a day and remembers what it was given."""

    def __init__(self) -> None:
        self.closed: list[tuple[int, int, str]] = []
        self.restored: list[int] = []

    def restore(self, closings: Sequence[Closing], _open_archive: Any) -> None:
        self.restored = [closing.day for closing in closings]

    def close(self, day: int, days: ArchivedDays, cause: str) -> list[Announcement]:
        self.closed.append((day, days.versions["scores"], cause))
        event = CloudEvent(f"event-{day}", "drift.warning", "watch/drift", 0, "amount", "c")
        return [Announcement(DRIFT_EVENTS, "amount", event, cast("Any", None))]

    def state(self) -> dict[str, Any]:
        return {"days": len(self.closed)}


class FakePublisher:
    """Takes what is sent, or fails as a broker that is gone."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.broken = False

    async def publish(self, announcements: Sequence[Announcement]) -> list[Announcement]:
        if self.broken:
            raise ConnectionError("no broker")
        self.sent += [one.event.id for one in announcements]
        return list(announcements)


class FakeLease:
    """Held, until it is lost."""

    lost = False

    def check(self) -> None:
        if self.lost:
            raise LeaseLostError("lost")


class World:
    """Closers that share closings; each call makes the next process's."""

    def __init__(self, folder: Path, first: int | None = 100) -> None:
        self.first = first
        self.lease, self.publisher, self.watcher = FakeLease(), FakePublisher(), FakeWatcher()
        self.closings = Closings(CheckpointStore(str(folder)), "history/drift")

    def closer(self, topic_id: str = "topic", **options: int) -> DayCloser:
        self.watcher = FakeWatcher()
        made = DayCloser(
            "drift",
            self.watcher,
            self.closings,
            lambda versions: cast("ArchivedDays", FakeDays(dict(versions), self.first)),
            cast("Publisher", self.publisher),
            cast("Lease", self.lease),
            HistoryGauges(CollectorRegistry()),
            topic_id,
            **options,
        )
        asyncio.run(made.restore())
        return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def commit(closed_day: int, offset: int = 0, archive_id: str = "archive") -> AnnouncedCommit:
    """An announcement whose watermark is six hours behind the end of a day."""
    tables = {"scores": 10 + offset}
    watermark = (closed_day + 1) * DAY_MS + DAY_MS // 4
    return AnnouncedCommit(offset, f"commit-{offset}", archive_id, ArchiveCommit(tables, {}, watermark, 1))


def handle(closer: DayCloser, *announced: AnnouncedCommit) -> None:
    for one in announced:
        asyncio.run(closer.handle(one))


def test_each_day_is_closed_once_in_order_with_the_versions_of_the_commit_that_closed_it(world: World) -> None:
    handle(world.closer(), commit(99), commit(101, 1), commit(101, 2), commit(102, 3))
    assert world.watcher.closed == [(100, 11, "commit-1"), (101, 11, "commit-1"), (102, 13, "commit-3")]
    assert world.publisher.sent == ["event-100", "event-101", "event-102"]


def test_days_in_which_windows_fill_are_left_out_unless_a_first_day_is_given(world: World) -> None:
    closer = world.closer(warm_up_days=3)
    handle(closer, commit(101))
    assert world.watcher.closed == []
    handle(closer, commit(104, 1))
    assert [day for day, *_ in world.watcher.closed] == [103, 104]


def test_a_first_day_that_is_given_counts_alone(world: World) -> None:
    handle(world.closer(warm_up_days=3, from_day=101), commit(101))
    assert [day for day, *_ in world.watcher.closed] == [101]


def test_nothing_closes_before_there_is_a_score(tmp_path: Path) -> None:
    world = World(tmp_path, first=None)
    handle(world.closer(), commit(101))
    assert world.watcher.closed == []


def test_a_stray_event_of_long_ago_does_not_make_thousands_of_days(tmp_path: Path) -> None:
    world = World(tmp_path, first=3)
    handle(world.closer(), commit(10_000))
    assert [day for day, *_ in world.watcher.closed] == list(range(10_001 - KEPT_DAYS, 10_001))


def test_a_day_that_could_not_be_published_is_taken_again_by_the_next_process(world: World) -> None:
    first = world.closer()
    handle(first, commit(100, 5))
    world.publisher.broken = True
    with pytest.raises(ConnectionError):
        handle(first, commit(101, 6))
    world.publisher.broken = False
    following = world.closer()
    assert (world.watcher.restored, following.next_offset) == ([100], 5)
    handle(following, commit(100, 5), commit(101, 6))
    assert world.watcher.closed == [(101, 16, "commit-6")]
    assert world.publisher.sent == ["event-100", "event-101"]


def test_a_closing_keeps_what_the_agent_needs_to_go_on(world: World) -> None:
    handle(world.closer(), commit(101, 4))
    assert world.closings.all()[-1] == Closing(101, {"scores": 14}, 4, "topic", "archive", {"days": 2})


def test_without_the_lease_no_closing_is_written(world: World) -> None:
    world.lease.lost = True
    with pytest.raises(LeaseLostError):
        handle(world.closer(), commit(100))
    assert world.closings.all() == []


def test_in_a_topic_that_was_created_again_announcements_are_read_from_the_beginning(world: World) -> None:
    handle(world.closer(), commit(100, 5))
    assert world.closer("another topic").next_offset is None


def test_an_archive_that_was_created_again_is_refused_with_the_remedy(world: World) -> None:
    closer = world.closer()
    handle(closer, commit(100))
    with pytest.raises(OtherArchiveError, match="give another --checkpoints"):
        handle(closer, commit(101, archive_id="another"))


def test_a_stop_ends_after_the_day_under_way(world: World) -> None:
    closer = world.closer()
    closer.stop()
    handle(closer, commit(105))
    assert world.watcher.closed == []


def test_closings_that_are_too_old_are_removed(tmp_path: Path) -> None:
    closings = Closings(CheckpointStore(str(tmp_path)), "history/drift", kept_days=3)
    for day in range(9_997, 10_003):
        closings.write(Closing(day, {"scores": day}, day, "topic", "archive"))
    assert [closing.day for closing in closings.all()] == [10_000, 10_001, 10_002]


def test_days_from_an_unreadable_closing_on_are_handled_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = CheckpointStore(str(tmp_path))
    closings = Closings(store, "history/drift")
    for day in range(10_000, 10_004):
        closings.write(Closing(day, {"scores": day}, day, "topic", "archive"))
    (tmp_path / "history/drift/00010002").write_bytes(b"")
    assert [closing.day for closing in closings.all()] == [10_000, 10_001]
    assert "from that of history/drift/00010002 on are handled again" in caplog.text
