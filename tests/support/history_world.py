"""What watchers of a history need and bring: announcements in, records out, and their processes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Producer

from models.drift.words import date
from models.features.feature_set import DEFAULT
from models.metrics.ledger_settings import LedgerSettings
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS, DRIFT_EVENTS, DRIFT_STATISTICS, PERFORMANCE, RETRAIN_REQUESTS, TopicNames
from stream_app.watch.history.announcement import Announcement
from stream_app.watch.history.archived_days import ArchivedDays
from stream_app.watch.history.drift import Drift
from stream_app.watch.history.feedback import Feedback
from tests.support.archived_bank import FIRST_DAY, MATURITY_DAYS, BankArchive
from tests.support.topic_recorder import TopicRecorder
from tests.support.worker_process import WorkerProcess, wait_until

Commits = Sequence[tuple[CloudEvent, ArchiveCommit]]
RECORDS: dict[str, type[msgspec.Struct]] = {
    PERFORMANCE: Performance,
    DRIFT_EVENTS: DriftEvent,
    DRIFT_STATISTICS: DriftStatistics,
    RETRAIN_REQUESTS: RetrainRequest,
}


def undisturbed(archive: BankArchive, commits: Commits) -> dict[str, list[Announcement]]:
    """What agents say of the announcements, by topic, without Kafka, processes and crashes."""
    feedback = Feedback(LedgerSettings(feature_names=DEFAULT.names))
    drift = Drift(lambda _: archive.bank.reference, MATURITY_DAYS)
    said: dict[str, list[Announcement]] = {topic: [] for topic in RECORDS}
    day = FIRST_DAY
    for event, commit in commits:
        with ArchivedDays(archive.url, {}, commit.tables) as days:
            while (day + 1) * 86_400_000 <= commit.watermark:
                for one in [*feedback.close(day, days, event.id), *drift.close(day, days, event.id)]:
                    said[one.topic].append(one)
                day += 1
    return said


class HistoryWorld:
    """Writes announcements and reads what is published, on one set of topics."""

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self.broker, self.topics = broker, topics
        self._producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})

    def close(self) -> None:
        """Close the connections."""
        del self._producer

    def announce(self, commits: Commits) -> None:
        """Say what the archive says."""
        for event, commit in commits:
            self.write(wire.encode(commit), event)

    def write(self, value: bytes, event: CloudEvent | None = None) -> None:
        """Write anything where announcements go."""
        headers: Any = [] if event is None else event.headers()
        self._producer.produce(self.topics.archive_commits, value, headers=headers)
        self._producer.flush()

    def published(self, topic: str) -> list[tuple[CloudEvent, msgspec.Struct]]:
        """Every record of a topic, repetitions included."""
        recorder = TopicRecorder(self.broker, self.topics.of(topic))
        recorder.read_to_end()
        recorder.close()
        return [
            (
                CloudEvent.read(dict(message.headers() or ()).items()),
                wire.decode(RECORDS[topic], message.value() or b""),
            )
            for message in recorder.records[0]
        ]

    def wait_for(self, topic: str, count: int) -> list[tuple[CloudEvent, msgspec.Struct]]:
        """Every record of a topic once there are so many."""
        return wait_until(
            lambda: found if len(found := self.published(topic)) >= count else [],
            lambda: f"{len(self.published(topic))} of {count} records on {topic}",
        )


@dataclass
class Watchers:
    """Starts watch processes that share topics, Redis, checkpoints and an archive, and ends them all."""

    broker: str
    redis_url: str
    redis_prefix: str
    topics: TopicNames
    folder: Path
    started: list[WorkerProcess] = field(default_factory=list)

    def start(
        self, archive: str, *options: str, active: bool = True, sabotage: Callable[[], None] | None = None
    ) -> WorkerProcess:
        """Start one; waits until it watches the history unless told otherwise."""
        log = self.folder / f"watcher-{len(self.started)}.log"
        arguments = [
            *("watch", "--broker", self.broker, "--redis", self.redis_url, "--redis-prefix", self.redis_prefix),
            *("--topic-prefix", self.topics.prefix, "--checkpoints", str(self.folder / "checkpoints")),
            *("--archive", archive, "--lease", "1", "--history-from", date(FIRST_DAY * DAY_MS), *options),
        ]
        watcher = WorkerProcess(arguments, {"FRAUDSTREAM_DATA": str(self.folder / "data")}, log, sabotage)
        self.started.append(watcher)
        if active:
            watcher.wait_for("watching the history")
        return watcher


@contextmanager
def watchers(broker: str, redis_url: str, redis_prefix: str, topics: TopicNames, folder: Path) -> Iterator[Watchers]:
    """Watchers that are gone at the end, whatever happened."""
    made = Watchers(broker, redis_url, redis_prefix, topics, folder)
    try:
        yield made
    finally:
        for watcher in made.started:
            watcher.kill()
