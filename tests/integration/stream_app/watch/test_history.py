"""The agents of the history as a process on real Kafka, Redis and Delta tables."""

import json
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from models.features.feature_set import DEFAULT
from models.registry import Registry
from models.schema.cloud_event import event_id
from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS, DRIFT_EVENTS, DRIFT_STATISTICS, PERFORMANCE, RETRAIN_REQUESTS, TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.stack.port import free_ports
from stream_app.watch.history.announcement import Announcement
from tests.support.archived_bank import FIRST_DAY, ArchivedBank, BankArchive
from tests.support.history_sabotage import STEPS
from tests.support.history_world import RECORDS, HistoryWorld, Watchers, undisturbed, watchers
from tests.support.topic_recorder import TopicRecorder

DAYS = 15
CHANGED = 3


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> BankArchive:
    """A new tactic from the fourth day on, and a statement that comes when its week is mature."""
    made = BankArchive(tmp_path_factory.mktemp("bank"), ArchivedBank(tactic_from=CHANGED))
    late = made.bank.day(2)
    genuine = int((~late.rows.is_fraud).argmax())
    made.state(late, genuine, (FIRST_DAY + 14) * DAY_MS + 1)
    made.add_days(0, DAYS)
    return made


@pytest.fixture(scope="module")
def expected(archive: BankArchive) -> dict[str, list[Announcement]]:
    """What the agents say without Kafka, processes and crashes."""
    return undisturbed(archive, archive.announcements)


@pytest.fixture
def world(stack: LocalStack, topics: TopicNames) -> Iterator[HistoryWorld]:
    made = HistoryWorld(stack.broker, topics)
    yield made
    made.close()


@pytest.fixture
def watch(
    stack: LocalStack, topics: TopicNames, redis_prefix: str, tmp_path: Path, archive: BankArchive
) -> Iterator[Watchers]:
    Registry(stack.redis_url, redis_prefix).put(archive.bank.bundle)
    with watchers(stack.broker, stack.redis_url, redis_prefix, topics, tmp_path) as started:
        yield started


def test_a_new_tactic_becomes_an_alarm_its_requests_and_weeks_that_are_worse(
    world: HistoryWorld, watch: Watchers, archive: BankArchive, expected: dict[str, list[Announcement]]
) -> None:
    (port,) = free_ports(1)
    world.write(b"nothing that the archive says")
    world.announce(archive.announcements)
    watcher = watch.start(archive.url, "--web-port", str(port))
    watcher.wait_for(f"drift closed {archive.date(DAYS - 1)}")
    watcher.wait_for(f"feedback closed {archive.date(DAYS - 1)}")
    for topic in RECORDS:
        assert world.published(topic) == [(one.event, one.record) for one in expected[topic]]
    weeks = [record for _, record in world.published(PERFORMANCE) if isinstance(record, Performance)]
    assert [(week.from_day - FIRST_DAY, week.state) for week in weeks] == [(0, "mature"), (0, "restated")]
    assert weeks[1].restates == weeks[0].event_id
    assert weeks[1].frauds == weeks[0].frauds + 1
    ((alarm, found),) = world.published(DRIFT_EVENTS)
    assert isinstance(found, DriftEvent)
    assert (found.level, found.evidence[0].feature) == ("alarm", "amount")
    assert CHANGED <= found.since // DAY_MS - FIRST_DAY <= CHANGED + 1
    commit = next(event for event, one in archive.announcements if one.watermark == found.as_of)
    assert (alarm.causation_id, alarm.correlation_id) == (commit.id, found.incident)
    requests = world.published(RETRAIN_REQUESTS)
    assert [record.number for _, record in requests if isinstance(record, RetrainRequest)] == [1, 2, 3]
    assert {(event.causation_id, event.correlation_id) for event, _ in requests} == {(alarm.id, found.incident)}
    computed = [record for _, record in world.published(DRIFT_STATISTICS) if isinstance(record, DriftStatistics)]
    assert [record.event_day - FIRST_DAY for record in computed] == list(range(DAYS))
    assert [feature.feature for feature in computed[-1].features] == [*DEFAULT.names, "score"]
    recorder = TopicRecorder(world.broker, world.topics.dead_letter)
    recorder.read_to_end()
    recorder.close()
    assert [message.value() for letters in recorder.records.values() for message in letters] == [
        b"nothing that the archive says"
    ]
    history = json.loads(page(port, "readyz"))["history"]
    assert history["closed_days"] == {"feedback": FIRST_DAY + DAYS - 1, "drift": FIRST_DAY + DAYS - 1}
    metrics = page(port, "metrics")
    assert 'fraudstream_drift_events_total{kind="performance",level="alarm"} 1.0' in metrics
    assert 'fraudstream_retrain_requests_total{cause="drift follow-up"} 2.0' in metrics
    assert 'fraudstream_history_lag_seconds{agent="drift"} 0.0' in metrics
    assert watcher.stop() == 0
    assert "error" not in watcher.said


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
        return str(answer.read().decode())


@pytest.mark.slow
def test_killed_at_each_step_it_says_what_an_undisturbed_one_says_and_nothing_twice(
    world: HistoryWorld, watch: Watchers, archive: BankArchive, expected: dict[str, list[Announcement]]
) -> None:
    world.announce(archive.announcements)
    for step, sabotage in STEPS.items():
        watcher = watch.start(archive.url, active=False, sabotage=sabotage)
        assert watcher.ended() == -9, step
    last = watch.start(archive.url)
    last.wait_for(f"drift closed {archive.date(DAYS - 1)}")
    last.wait_for(f"feedback closed {archive.date(DAYS - 1)}")
    for topic in RECORDS:
        assert world.published(topic) == [(one.event, one.record) for one in expected[topic]], topic
        assert len(expected[topic]) > 0


def test_a_standby_goes_on_where_the_one_before_it_was_killed(
    world: HistoryWorld, watch: Watchers, archive: BankArchive
) -> None:
    first = watch.start(archive.url)
    second = watch.start(archive.url, active=False)
    second.wait_for("standing by: another process watches the history")
    world.announce(archive.announcements[:2])
    first.wait_for(f"drift closed {archive.date(1)}")
    first.kill()
    world.announce(archive.announcements[2:4])
    second.wait_for(f"drift closed {archive.date(3)}")
    assert f"drift closed {archive.date(1)}" not in second.said
    assert f"drift closed {archive.date(2)}" in second.said


def test_retrains_on_schedule_are_asked_for_once_in_a_period_and_not_during_an_incident(
    world: HistoryWorld, watch: Watchers, archive: BankArchive
) -> None:
    world.announce(archive.announcements[:12])
    watcher = watch.start(archive.url, "--retrain-every-days", "3")
    watcher.wait_for(f"drift closed {archive.date(11)}")
    asked = [record for _, record in world.published(RETRAIN_REQUESTS) if isinstance(record, RetrainRequest)]
    scheduled = [one for one in asked if one.cause == "schedule"]
    opened = next(one.as_of for one in asked if one.cause == "drift")
    assert len({one.request_id for one in scheduled}) == len(scheduled) == 3
    assert all(later.as_of - earlier.as_of == 3 * DAY_MS for earlier, later in pairwise(scheduled))
    assert max(one.as_of for one in scheduled) < opened


def test_another_archive_than_the_one_watched_so_far_is_refused(
    world: HistoryWorld, watch: Watchers, archive: BankArchive
) -> None:
    world.announce(archive.announcements[:1])
    watcher = watch.start(archive.url)
    watcher.wait_for(f"drift closed {archive.date(0)}")
    watcher.wait_for(f"feedback closed {archive.date(0)}")
    event, commit = archive.announcements[1]
    other = type(event)(event.id, event.type, event.source, event.time_ms, event.subject, event_id("another one"))
    world.announce([(other, commit)])
    assert "the archive was created again" in watcher.refused()
