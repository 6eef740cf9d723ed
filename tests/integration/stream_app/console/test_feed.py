"""The feed on a real Kafka: what was there, what comes, what is none, and a restart in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer

from models.audit.chain import Entry
from models.registry import Registry
from models.schema import wire
from models.schema.cloud_event import CloudEvent
from models.schema.model_event import ModelEvent
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

    def send(topic: str, *values: bytes, partition: int = 0, headers: list[tuple[str, bytes]] | None = None) -> None:
        for value in values:
            producer.produce(topic, value, partition=partition, headers=dict(headers or []))
        assert producer.flush(30) == 0

    return send


@pytest.fixture
def registry(stack: LocalStack, redis_prefix: str) -> Registry:
    return Registry(stack.redis_url, redis_prefix)


@contextmanager
def reading(stack: LocalStack, topics: TopicNames, registry: Registry) -> Iterator[Feed]:
    feed = Feed(stack.broker, topics, registry.log)
    feed.start()
    try:
        yield feed
    finally:
        feed.stop()


def wait_for(feed: Feed, kind: str, count: int) -> None:
    wait_until(lambda: len(feed.journal(kind).latest(999)) == count, lambda: f"{count} {kind}; {feed.problem}")


def tell(write: Write, topics: TopicNames, version: str) -> None:
    """Write a model event as the release loop does."""
    event = ModelEvent(
        kind="promoted", version=version, before=None, cause="better", checks=(), as_of=0, release="r", incident=None,
        request_id=None, actor="release", sequence=1,
    )  # fmt: skip
    context = CloudEvent(event.event_id, "model.promoted", "release", 1, version, "r")
    write(topics.model_events, wire.encode(event), headers=context.headers())


def test_what_is_kept_is_read_and_what_is_none_is_left_out(
    stack: LocalStack, topics: TopicNames, registry: Registry, write: Write
) -> None:
    tell(write, topics, "m-1")
    write(topics.model_events, b"not a record")
    tell(write, topics, "m-2")
    with reading(stack, topics, registry) as feed:
        wait_for(feed, "model", 2)
        tell(write, topics, "m-3")
        wait_for(feed, "model", 3)
        found = feed.journal("model").latest(9)
        assert [entry.data["version"] for entry in found] == ["m-1", "m-2", "m-3"]
        assert [entry.offset for entry in found] == [0, 2, 3]
        assert found[0].data["event"]["type"] == "model.promoted"
        assert feed.undecodable == {"model-events": 1}
        assert feed.problem is None


def test_a_follower_goes_on_behind_a_restart(
    stack: LocalStack, topics: TopicNames, registry: Registry, write: Write
) -> None:
    kinds = ("model", "audit", "score")
    tell(write, topics, "m-known")
    registry.log.append(Entry("login", "ada", "password", "console"))
    with reading(stack, topics, registry) as feed:
        wait_for(feed, "model", 1)
        wait_for(feed, "audit", 1)
        follower = Follower([feed.journal(kind) for kind in kinds], {}, Role.VIEWER)
    tell(write, topics, "m-new")
    registry.log.append(Entry("login", "grace", "password", "console"))
    write(topics.scores, wire.encode(a_score("t-1", 0)), partition=2)
    with reading(stack, topics, registry) as feed:
        wait_for(feed, "model", 2)
        wait_for(feed, "audit", 2)
        wait_for(feed, "score", 1)
        again = Follower([feed.journal(kind) for kind in kinds], follower.place, Role.VIEWER)
        told = b"".join(again.messages())
        assert all(new in told for new in (b'"m-new"', b'"grace"', b'"t-1"'))
        assert not any(known in told for known in (b'"m-known"', b'"ada"', b"reset"))


def test_each_score_is_counted_and_a_repetition_is_told_once(
    stack: LocalStack, topics: TopicNames, registry: Registry, write: Write
) -> None:
    write(topics.scores, wire.encode(a_score("before", 0)))
    with reading(stack, topics, registry) as feed:
        wait_for(feed, "score", 1)
        flagged = [wire.encode(a_score(f"f-{number}", number)) for number in range(1, 11)]
        fine = [wire.encode(a_score(f"a-{number}", number, decision="approve")) for number in range(11, 41)]
        write(topics.scores, *flagged, *flagged, *fine)
        wait_until(lambda: feed.score_counts.written == 50, lambda: str(feed.score_counts))
        assert feed.score_counts.looked_at == 50
        assert feed.score_counts.flagged == 20
        told = [entry.data["transaction_id"] for entry in feed.journal("score").latest(999)]
        assert [name for name in told if name.startswith("f-")] == [f"f-{number}" for number in range(1, 11)]


def test_topics_that_come_later_are_waited_for_with_one_line(
    stack: LocalStack, registry: Registry, unique: str
) -> None:
    with reading(stack, TopicNames(f"{unique}-none."), registry) as feed:
        wait_until(lambda: feed.problem is not None, "the feed says what hinders it")
        assert "create it with `fraudstream stack topics`" in str(feed.problem)
