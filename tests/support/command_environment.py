"""What lets commands that are run in a test find its Kafka, Redis, names and data without an option."""

from pathlib import Path

import pytest

from models.schema.topics import TopicNames
from stream_app.stack.local_stack import LocalStack


def set_environment(
    monkeypatch: pytest.MonkeyPatch, folder: Path, stack: LocalStack, topics: TopicNames, redis_prefix: str
) -> None:
    """Set the variables until the test ends."""
    for name, value in {
        "FRAUDSTREAM_DATA": str(folder),
        "FRAUDSTREAM_BROKER": stack.broker,
        "FRAUDSTREAM_REDIS": stack.redis_url,
        "FRAUDSTREAM_REDIS_PREFIX": redis_prefix,
        "FRAUDSTREAM_TOPIC_PREFIX": topics.prefix,
    }.items():
        monkeypatch.setenv(name, value)
