"""The archive's work: read, decode, commit the four tables, announce, compact; each step before the next."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.clock_tick import ClockTick
from models.schema.topics import FEATURES, LABELS, SCORES, TRANSACTIONS
from stream_app.archive.compactor import Compactor
from stream_app.archive.delta_table import ArchiveTable
from stream_app.archive.feature_columns import FeatureCoverage
from stream_app.archive.gauges import ArchiveGauges
from stream_app.archive.intake import Intake
from stream_app.archive.outbox import Outbox
from stream_app.archive.positions import TablePositions
from stream_app.archive.reader_rule import ReaderRule
from stream_app.archive.records import Records
from stream_app.archive.settings import ArchiveSettings
from stream_app.archive.source import ArchiveSource, Place
from stream_app.archive.tables import TABLES
from stream_app.archive.watermark import Archived, Watermark
from stream_app.telemetry.traces import span
from stream_app.topic_admin import describe_topics

log = logging.getLogger(__name__)

READ_RECORDS: Final = 10_000
READ_S: Final = 0.1


class Archiver:
    """Owns the tables and the connections to Kafka of the process that holds the lease.

    What it reads is held until a commit is due. Then dead letters are acknowledged, each table gets one commit with
    its rows and positions, the state is announced, and what is left of the time goes into compaction. Killed anywhere,
    the next one reads on behind what each table says.

    Parameters
    ----------
    settings: what the process was started with.
    gauges: its metrics.
    check_lease: raises when this process may no longer write.
    """

    def __init__(self, settings: ArchiveSettings, gauges: ArchiveGauges, check_lease: Callable[[], None]) -> None:
        self._settings = settings
        self._gauges = gauges
        self._check_lease = check_lease
        topics = describe_topics(
            settings.broker, [settings.topics.of(name) for name in TABLES] + [settings.topics.clock]
        )
        self._tables = {
            name: ArchiveTable(settings.url, name, settings.storage_options, settings.keep_versions_days)
            for name in TABLES
        }
        self._positions = {
            name: TablePositions(self._tables[name], topics[settings.topics.of(name)]) for name in TABLES
        }
        partitions = topics[settings.topics.features].partitions
        self._intake = Intake(
            settings.topics,
            ReaderRule(self._positions[SCORES].marks("last-seen", partitions)),
            FeatureCoverage(
                self._positions[FEATURES].marks("covered", partitions),
                self._positions[FEATURES].marks("last-row", partitions),
            ),
        )
        self._outbox = Outbox(settings.broker, settings.topics)
        self._announced = self._known_announcement()
        self._announced_id: str | None = None
        at = self._announced.watermark if self._announced else 0
        self._watermark = Watermark(partitions, settings.idle_after_s, at)
        self._compactor = Compactor(list(self._tables.values()), settings.small_files, settings.commit_every_s / 4)
        self._source = ArchiveSource(settings.broker, self._starts(), accept_loss=settings.accept_loss)
        self._committed_at_s = time.monotonic()
        self._announce()

    @property
    def watermark(self) -> int:
        """Event time up to which the tables are complete, ms."""
        return self._watermark.at

    @property
    def versions(self) -> dict[str, int]:
        """Version of each table."""
        return {name: table.version for name, table in self._tables.items()}

    @property
    def buffered_rows(self) -> int:
        """Rows that are taken and not committed."""
        return self._intake.rows

    def turn(self) -> None:
        """Take what has come, and commit when it is time."""
        for records in self._source.read(READ_RECORDS, READ_S):
            self._take(records)
        waited_s = time.monotonic() - self._committed_at_s
        if waited_s >= self._settings.commit_every_s or self._intake.rows >= self._settings.commit_rows:
            self.commit()

    def commit(self) -> None:
        """Commit and announce what was taken, if anything, then compact a little."""
        with span("commit tables"):
            self._commit()
        self._compact()

    def _commit(self) -> None:
        started_s = time.monotonic()
        self._outbox.settle()
        rows = {name: self._commit_table(name) for name in TABLES}
        self._intake.clear()
        self._watermark.advance(self._archived())
        self._announce()
        self._committed_at_s = time.monotonic()
        self._gauges.lag.set(self._source.lag())
        if any(rows.values()):
            took_s = self._committed_at_s - started_s
            self._gauges.commit_seconds.observe(took_s)
            log.info(
                "committed %s in %.2f s, watermark %d", _in_words(rows), took_s, self.watermark,
                extra={
                    "event_id": self._announced_id,
                    "next_offsets": {name: positions.offsets for name, positions in self._positions.items()},
                },
            )  # fmt: skip

    def close(self) -> None:
        """Commit what was taken, announce it, disconnect."""
        self.commit()
        self._source.close()

    def waiting_for(self) -> list[str]:
        """What the earliest open tick still waits for, in words."""
        return self._watermark.waiting_for(self._archived())

    def _take(self, records: Records) -> None:
        if records.topic == self._settings.topics.clock:
            self._take_ticks(records)
            return
        decoded = self._intake.take(records)
        for rejection in decoded.refused:
            self._gauges.dead_letters.labels(records.topic).inc()
            self._outbox.bury(records, rejection)
        if records.topic == self._settings.topics.features:
            self._watermark.see_rows(
                records.partition,
                decoded.rows.column("event_time").to_numpy(),
                self._intake.coverage.last_rows.get(records.partition, -1),
                self._labels_ends(),
                time.monotonic(),
            )

    def _take_ticks(self, records: Records) -> None:
        for message in records.messages:
            try:
                self._watermark.see_tick(wire.decode(ClockTick, message.value() or b""))
            except wire.RecordError as error:
                # The profile keeper buries it; here the clock is read from its beginning at each start.
                log.warning("clock offset %s is no tick: %s", message.offset(), error)

    def _commit_table(self, name: str) -> int:
        positions = self._positions[name]
        topic = self._settings.topics.of(name)
        offsets = {p: offset for (of, p), offset in self._source.next_offsets.items() if of == topic}
        moved = positions.moved(offsets, self._marks(name))
        if not moved:
            return 0
        rows = self._intake.table(name)
        self._check_lease()
        self._tables[name].append(rows, moved)
        positions.committed(moved)
        self._gauges.rows.labels(name).inc(rows.num_rows)
        return rows.num_rows

    def _marks(self, name: str) -> dict[str, Mapping[int, int]]:
        if name == SCORES:
            return {"last-seen": self._intake.rule.last}
        if name == FEATURES:
            return {"covered": self._intake.coverage.covered, "last-row": self._intake.coverage.last_rows}
        return {}

    def _archived(self) -> Archived:
        features, scores = self._positions[FEATURES], self._positions[SCORES]
        return Archived(
            transactions=self._positions[TRANSACTIONS].offsets,
            labels=self._positions[LABELS].offsets,
            covered=features.held("covered"),
            feature_rows=features.held("last-row"),
            scores=scores.held("last-seen"),
        )

    def _announce(self) -> None:
        offsets = {name: positions.offsets for name, positions in self._positions.items()}
        commit = ArchiveCommit(self.versions, offsets, self.watermark, time.time_ns() // 1_000_000)
        self._gauges.watermark.set(self.watermark / 1000)
        last = self._announced
        if last is not None and (last.tables, last.watermark) == (commit.tables, commit.watermark):
            return
        self._check_lease()
        self._announced_id = self._outbox.announce(commit, {n: table.table_id for n, table in self._tables.items()})
        self._announced = commit

    def _known_announcement(self) -> ArchiveCommit | None:
        """The last announcement, unless it speaks of other tables than these: those are behind what it says."""
        last = self._outbox.last_announcement()
        if last is None or any(last.tables.get(name, 0) > version for name, version in self.versions.items()):
            return None
        return last

    def _compact(self) -> None:
        for table, files in self._compactor.run(self.watermark, self._check_lease):
            self._gauges.compacted.labels(table).inc(files)

    def _labels_ends(self) -> dict[int, int]:
        topic = self._settings.topics.labels
        return {place[1]: self._source.end(place) for place in self._source.next_offsets if place[0] == topic}

    def _starts(self) -> dict[Place, int | None]:
        topics = self._settings.topics
        starts: dict[Place, int | None] = {(topics.clock, 0): None}
        for name, positions in self._positions.items():
            starts |= {(topics.of(name), p): positions.offsets.get(p) for p in range(positions.partitions)}
        return starts


def _in_words(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in rows.items())
