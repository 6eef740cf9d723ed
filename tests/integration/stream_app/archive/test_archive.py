"""The archive as a process on real Kafka and Redis: what is in the topics is in the tables, once."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka import TopicPartition

from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.cloud_event import CloudEvent
from models.schema.dead_letter import DeadLetter
from models.schema.decoding import decode_labels, decode_scores, decode_transactions
from models.schema.feature_batch import decode_feature_batch
from models.schema.topics import FEATURES, LABELS, SCORES, TRANSACTIONS, TopicNames
from models.schema.transaction import Transaction
from stream_app.archive.history import ArchivedHistory
from stream_app.scores_reader import LastSeen
from stream_app.stack.local_stack import LocalStack
from stream_app.stack.port import free_ports
from stream_app.topic_admin import admin_client, create_topics, delete_topics
from tests.support.archive_sabotage import STEPS
from tests.support.archive_world import MODEL, PARTITIONS, Archivers, ArchiveWorld, archivers, label_of
from tests.support.payments import DAY_MS, START_MS, payments
from tests.support.topic_recorder import TopicRecorder
from tests.support.worker_process import wait_until

pytestmark = pytest.mark.parametrize("topics", [PARTITIONS], indirect=True)
FIRST_DAY = START_MS // DAY_MS + 1
UNIX_DAY = 719_163
UNREADABLE = b"nobody can read this"


@pytest.fixture
def world(stack: LocalStack, topics: TopicNames) -> Iterator[ArchiveWorld]:
    made = ArchiveWorld(stack.broker, topics)
    yield made
    made.close()


@pytest.fixture
def archive(stack: LocalStack, topics: TopicNames, redis_prefix: str, tmp_path: Path) -> Iterator[Archivers]:
    with archivers(stack.broker, stack.redis_url, redis_prefix, topics, tmp_path) as started:
        yield started


def a_day(number: int, count: int = 60) -> list[Transaction]:
    return payments(count, start_ms=(FIRST_DAY + number) * DAY_MS, days=1, name=f"d{number}-")


def end_of(day: int) -> int:
    return (FIRST_DAY + day + 1) * DAY_MS


def a_round(world: ArchiveWorld, number: int) -> None:
    """One event day with everything that can come: late rows, a zombie, a gap filled again, unreadable records."""
    late = [msgspec.structs.replace(one, event_time=FIRST_DAY * DAY_MS + number) for one in a_day(100 + number, 4)]
    sent = world.pay([*a_day(number), *late])
    world.reject(number % PARTITIONS)
    world.score(sent[:20])
    world.score(sent[10:40], writer="zombie")
    world.score(sent[40:], features=False)
    world.score(sent[40:], scores=False, recomputed=True)
    for topic in (world.topics.scores, world.topics.features, world.topics.labels):
        world.write(topic, UNREADABLE + b" 4111111111111111", partition=number % PARTITIONS)
    world.labels[number % PARTITIONS] += 1
    world.state(*(label_of(one.transaction, end_of(number)) for one in sent[::7]))
    world.tick(end_of(number))


@pytest.mark.slow
def test_killed_at_any_step_the_tables_hold_what_the_topics_hold_and_each_record_once(
    world: ArchiveWorld, archive: Archivers, redis_client: "redis.Redis", redis_prefix: str
) -> None:
    options = ("--small-files", "1", "--lease", "10")
    for number, (step, sabotage) in enumerate(STEPS.items()):
        a_round(world, number)
        killed = archive.start(*options, active=False, sabotage=sabotage)
        assert killed.ended() == -signal.SIGKILL, f"{step}: {killed.said}"
        redis_client.delete(f"{redis_prefix}archive")
    last = archive.start(*options)
    commit = world.wait_for_watermark(end_of(len(STEPS) - 1))
    assert last.stop() == 0, last.said
    assert "error" not in last.said
    for table in (TRANSACTIONS, LABELS, SCORES):
        assert_equal_to_topic(world, archive, table)
    assert_every_feature_row_is_there_once(world, archive)
    assert_scored_view(world, archive, commit)
    assert_every_refusal_is_buried(world)
    assert_each_state_is_announced_under_one_id(world.commits())


def assert_equal_to_topic(world: ArchiveWorld, archive: Archivers, table: str) -> None:
    decode: Any = {TRANSACTIONS: decode_transactions, LABELS: decode_labels, SCORES: decode_scores}[table]
    expected = []
    for partition, messages in recorded(world, world.topics.of(table)).items():
        good, indices, refused = decode([message.value() for message in messages])
        assert refused
        expected += [
            msgspec.to_builtins(one)
            | {"kafka_partition": partition}
            | {"kafka_offset": messages[at].offset(), "kafka_timestamp": messages[at].timestamp()[1]}
            for one, at in zip(good, indices, strict=True)
        ]
    found = {(row["kafka_partition"], row["kafka_offset"]): row for row in rows_of(archive, table)}
    assert len(found) == len(rows_of(archive, table)) == len(expected)
    for row in expected:
        stored = found[row["kafka_partition"], row["kafka_offset"]]
        assert {name: stored[name] for name in row} == row
        assert stored["event_day"].toordinal() - UNIX_DAY == row["event_time"] // DAY_MS


def rows_of(archive: Archivers, table: str) -> list[dict[str, Any]]:
    with ArchivedHistory(archive.url) as history:
        rows: list[dict[str, Any]] = history.table(table).to_arrow_table().to_pylist()
        return rows


def recorded(world: ArchiveWorld, topic: str) -> dict[int, list[Any]]:
    recorder = TopicRecorder(world.broker, topic)
    recorder.read_to_end()
    recorder.close()
    return recorder.records


def feature_rows(world: ArchiveWorld) -> list[dict[str, Any]]:
    """Every feature row on the topic, by a way of its own."""
    rows = []
    for partition, messages in recorded(world, world.topics.features).items():
        for message in messages:
            if message.value().startswith(UNREADABLE):
                continue
            batch = decode_feature_batch(message.value())
            names = ("source_offset", "writer", "epoch", "recomputed", "transaction_id")
            for values, row in zip(batch.values, batch.table.select(names).to_pylist(), strict=True):
                rows.append(row | {"values": values.tolist(), "place": (partition, message.offset())})
    return rows


def assert_every_feature_row_is_there_once(world: ArchiveWorld, archive: Archivers) -> None:
    def named(row: dict[str, Any], place: tuple[int, int]) -> tuple[Any, ...]:
        return (*place, row["source_offset"], row["writer"], row["transaction_id"], *row["values"])

    expected = sorted(named(row, row["place"]) for row in feature_rows(world))
    found = rows_of(archive, FEATURES)
    assert sorted(named(row, (row["kafka_partition"], row["kafka_offset"])) for row in found) == expected


def assert_scored_view(world: ArchiveWorld, archive: Archivers, commit: ArchiveCommit) -> None:
    last, kept = LastSeen(), {}
    for partition, messages in recorded(world, world.topics.scores).items():
        for score in decode_scores([message.value() for message in messages])[0]:
            if last.is_new(partition, score.epoch, score.source_offset):
                kept[partition, score.epoch, score.source_offset] = score
    rows = feature_rows(world)
    own = {(row["place"][0], row["epoch"], row["source_offset"], row["writer"]): row["values"] for row in rows}
    again = {(row["place"][0], row["epoch"], row["source_offset"]): row["values"] for row in rows if row["recomputed"]}
    with ArchivedHistory(archive.url, commit.tables) as history:
        found = history.scored(history.days(), commit.watermark).to_arrow_table().to_pylist()
    assert len(found) == len(kept) == len(world.sent)
    for row in found:
        place = row["kafka_partition"], row["epoch"], row["source_offset"]
        assert (row["transaction_id"], row["writer"]) == (kept[place].transaction_id, kept[place].writer)
        assert row["values"] == own.get((*place, row["writer"]), again.get(place))
        assert row["recomputed"] == ((*place, row["writer"]) not in own)
    assert {row["recomputed"] for row in found} == {True, False}
    assert {row["writer"] for row in found} == {"w1", "zombie"}


def assert_every_refusal_is_buried(world: ArchiveWorld) -> None:
    dead = [m for messages in recorded(world, world.topics.dead_letter).values() for m in messages]
    letters = [DeadLetter.read(m.key(), m.value(), m.headers()) for m in dead]
    topics = (world.topics.transactions, world.topics.scores, world.topics.features, world.topics.labels)
    places = {(letter.topic, letter.partition, letter.offset) for letter in letters}
    assert [sum(topic == place[0] for place in places) for topic in topics] == [len(STEPS)] * 4
    assert not [letter for letter in letters if b"4111111111111111" in letter.value]


def assert_each_state_is_announced_under_one_id(announcements: list[Any]) -> None:
    states: dict[tuple[Any, ...], set[str]] = {}
    watermarks = []
    for message in announcements:
        commit = wire.decode(ArchiveCommit, message.value() or b"")
        watermarks.append(commit.watermark)
        state = (*sorted(commit.tables.items()), commit.watermark)
        states.setdefault(state, set()).add(CloudEvent.read(message.headers()).id)
    assert watermarks == sorted(watermarks)
    assert {len(ids) for ids in states.values()} == {1}
    assert len(states) == len(announcements) == len(set.union(*states.values()))


def test_a_stop_commits_what_was_taken_and_the_next_one_goes_on_behind_it(
    world: ArchiveWorld, archive: Archivers
) -> None:
    first = archive.start("--commit-every", "3600", "--web-port", str(port := free_ports(1)[0]))
    sent = world.pay(a_day(0))
    world.score(sent)
    wait_until(lambda: json.loads(page(port, "readyz"))["buffered_rows"] == 180, "the archiver has taken all")
    assert first.stop() == 0
    assert "committed 60 transactions, 0 labels, 60 features, 60 scores" in first.said
    announced: list[Any] = world.commits()
    second = archive.start("--web-port", str(port))
    assert json.loads(page(port, "readyz"))["versions"] == wire.decode(ArchiveCommit, announced[-1].value()).tables
    assert second.stop() == 0
    assert "committed" not in second.said
    assert len(world.commits()) == len(announced)


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
        return str(answer.read().decode())


def test_of_two_archivers_one_stands_by_and_takes_over(world: ArchiveWorld, archive: Archivers) -> None:
    first = archive.start()
    second = archive.start(active=False)
    second.wait_for("standing by")
    first.kill()
    world.score(world.pay(a_day(0)))
    world.tick(end_of(0))
    world.wait_for_watermark(end_of(0))
    assert "active as archiver 2" in second.said


def test_an_archiver_that_has_lost_its_lease_writes_nothing_more(
    world: ArchiveWorld, archive: Archivers, redis_client: "redis.Redis", redis_prefix: str
) -> None:
    archiver = archive.start("--commit-every", "3600")
    redis_client.set(f"{redis_prefix}archive", b"somebody else@9")
    world.pay(a_day(0))
    assert archiver.ended() == 2
    assert "error: lease" in archiver.said
    assert rows_of(archive, TRANSACTIONS) == []


def test_a_topic_that_was_created_again_is_read_from_its_beginning(
    world: ArchiveWorld, archive: Archivers, topics: TopicNames
) -> None:
    archiver = archive.start()
    sent = world.pay(a_day(0))
    world.score(sent)
    world.tick(end_of(0))
    world.wait_for_watermark(end_of(0))
    assert archiver.stop() == 0
    delete_topics(world.broker, [topics.transactions])
    create_topics(world.broker, topics, PARTITIONS, only=["transactions"])
    world.ends = dict.fromkeys(world.ends, 0)
    again = world.pay(a_day(1, 30))
    world.score(again, epoch=1)
    world.tick(end_of(1))
    archive.start()
    commit = world.wait_for_watermark(end_of(1))
    with ArchivedHistory(archive.url, commit.tables) as history:
        assert [len(history.scored_day(FIRST_DAY + day, MODEL, commit.watermark)) for day in (0, 1)] == [60, 30]
        assert history.count(TRANSACTIONS) == 90


def test_records_that_are_gone_are_named_and_passed_over_only_when_told(
    world: ArchiveWorld, archive: Archivers, topics: TopicNames
) -> None:
    archiver = archive.start()
    world.score(world.pay(a_day(0)))
    world.tick(end_of(0))
    world.wait_for_watermark(end_of(0))
    assert archiver.stop() == 0
    world.score(world.pay(a_day(1)))
    gone = [TopicPartition(topics.transactions, p, end) for p, end in world.ends.items()]
    admin = admin_client(world.broker)
    for future in admin.delete_records(gone).values():
        future.result()
    world.score(world.pay(a_day(2)))
    world.tick(end_of(2))
    assert "records are gone; --accept-loss goes on without them" in archive.start(active=False).refused()
    archive.start("--accept-loss")
    commit = world.wait_for_watermark(end_of(2))
    assert len(rows_of(archive, TRANSACTIONS)) == 120
    shown = archive.start("--show", active=False)
    assert shown.ended() == 0
    assert f"watermark: {datetime.fromtimestamp(commit.watermark / 1000, UTC):%Y-%m-%dT%H:%M}" in shown.said
    assert f"{commit.tables['scores']}" in shown.said
    assert "180" in shown.said
