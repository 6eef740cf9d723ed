"""Fresh topics, groups and key prefixes for each test, on the Kafka and Redis of the run."""

import itertools
import os
from collections.abc import Callable, Iterator

import pytest
import redis

from models.schema.topics import TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import REQUEST_S, admin_client, create_topics

TopicFactory = Callable[..., TopicNames]

_numbers = itertools.count(1)


@pytest.fixture
def unique() -> str:
    """A name that no other test of this run has, for groups, prefixes and folders."""
    return f"t{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def make_topics(stack: LocalStack) -> Iterator[TopicFactory]:
    """Creates fresh topics, gone after the test: `make_topics(partitions=2, overrides={...}, only=[...])`."""
    made: list[TopicNames] = []

    def make(**settings: object) -> TopicNames:
        names = TopicNames(f"t{os.getpid()}-{next(_numbers)}.")
        create_topics(stack.broker, names, **settings)  # type: ignore[arg-type]  # passed on as they are
        made.append(names)
        return names

    yield make
    asked = [topic for names in made for topic in names.all()]
    if not asked:
        return
    # Held until all is answered: what a client is still asked when it goes is answered by nobody.
    admin = admin_client(stack.broker)
    # A topic that the test itself deleted, or never created, is no trouble here.
    for future in admin.delete_topics(asked, request_timeout=REQUEST_S).values():
        future.exception(2 * REQUEST_S)


@pytest.fixture
def topics(make_topics: TopicFactory, request: pytest.FixtureRequest) -> TopicNames:
    """A fresh set of topics.

    Four partitions, or as many as `@pytest.mark.parametrize("topics", [1], indirect=True)` says.
    """
    partitions: int = getattr(request, "param", 4)
    return make_topics(partitions=partitions)


@pytest.fixture
def redis_prefix(unique: str) -> str:
    """What this test's keys in Redis begin with."""
    return f"{unique}:"


@pytest.fixture
def redis_client(stack: LocalStack) -> Iterator["redis.Redis"]:
    """A client of the run's Redis."""
    client = redis.Redis.from_url(stack.redis_url)
    yield client
    client.close()
