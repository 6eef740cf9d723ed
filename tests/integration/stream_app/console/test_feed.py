"""The feed on a real Kafka: what was there, what comes, what is none, and a restart in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer

from models.audit.chain import Entry, chained
from models.schema import wire
from models.schema.topics import TopicNames
from stream_app.console.feed.feed import Feed
from stream_app.console.pages.events import Follower
from stream_app.console.people.role import Role
from stream_app.stack.local_stack import LocalStack
from tests.support.console_world import a_score
from tests.support.worker_process import wait_until

Write = Callable[..., None]


@pytest.fixture
def write(stack: LocalStack) -> Write:
    producer = Producer({"bootstrap.servers": stack.broker, "linger.ms": 0})

    def send(topic: str, *values: bytes, partition: int = 0) -> None:
        for value in values:
            producer.produce(topic, value, partition=partition)
        assert producer.flush(30) == 0

    return send


@contextmanager
def reading(stack: LocalStack, topics: TopicNames) -> Iterator[Feed]:
    feed = Feed(stack.broker, topics)
    feed.start()
    try:
        yield feed
    finally:
        feed.stop()


def wait_for(feed: Feed, kind: str, count: int) -> None:
    wait_until(lambda: len(feed.journal(kind).latest(999)) == count, lambda: f"{count} {kind}; {feed.problem}")


def records(count: int) -> list[bytes]:
    entries = [Entry("login", f"person {number}", "password", "console") for number in range(count)]
    return [record.canonical() for record in chained(None, entries, 1)]


def test_what_is_kept_is_read_and_what_is_none_is_left_out(stack: LocalStack, topics: TopicNames, write: Write) -> None:
    first, second, third = records(3)
    write(topics.audit, first, b"not a record", second)
    with reading(stack, topics) as feed:
        wait_for(feed, "audit", 2)
        write(topics.audit, third)
        wait_for(feed, "audit", 3)
        assert [entry.data["actor"] for entry in feed.journal("audit").latest(9)] == [
            "person 0", "person 1", "person 2"
        ]  # fmt: skip
        assert [entry.offset for entry in feed.journal("audit").latest(9)] == [0, 2, 3]
        assert feed.undecodable == {"audit": 1}
        assert feed.problem is None


def test_a_follower_goes_on_behind_a_restart(stack: LocalStack, topics: TopicNames, write: Write) -> None:
    write(topics.audit, *records(2))
    with reading(stack, topics) as feed:
        wait_for(feed, "audit", 2)
        follower = Follower([feed.journal("audit"), feed.journal("score")], {}, Role.VIEWER)
    write(topics.audit, *records(3)[2:])
    write(topics.scores, wire.encode(a_score("t-1", 0)), partition=2)
    with reading(stack, topics) as feed:
        wait_for(feed, "audit", 3)
        wait_for(feed, "score", 1)
        again = Follower([feed.journal("audit"), feed.journal("score")], follower.place, Role.VIEWER)
        told = b"".join(again.messages())
        assert b'"person 2"' in told
        assert b'"person 1"' not in told
        assert b'"t-1"' in told


def test_each_score_is_counted_and_a_repetition_is_told_once(
    stack: LocalStack, topics: TopicNames, write: Write
) -> None:
    write(topics.scores, wire.encode(a_score("before", 0)))
    with reading(stack, topics) as feed:
        wait_for(feed, "score", 1)
        flagged = [wire.encode(a_score(f"f-{number}", number)) for number in range(1, 11)]
        fine = [wire.encode(a_score(f"a-{number}", number, decision="approve")) for number in range(11, 41)]
        write(topics.scores, *flagged, *flagged, *fine)
        wait_until(lambda: feed.score_counts.written == 50, lambda: str(feed.score_counts))
        assert feed.score_counts.looked_at == 50
        assert feed.score_counts.flagged == 20
        told = [entry.data["transaction_id"] for entry in feed.journal("score").latest(999)]
        assert [name for name in told if name.startswith("f-")] == [f"f-{number}" for number in range(1, 11)]


def test_topics_that_come_later_are_waited_for_with_one_line(stack: LocalStack, unique: str) -> None:
    with reading(stack, TopicNames(f"{unique}-none.")) as feed:
        wait_until(lambda: feed.problem is not None, "the feed says what hinders it")
        assert "create it with `fraudstream stack topics`" in str(feed.problem)
