"""One broker and one model for all rounds; each round has topics of its own, which are gone when it ends."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient

from bench.peer import REDIS_PREFIX, Place
from bench.workload import promote_model
from models.bundle import Bundle
from models.schema.topics import TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics

PARTITIONS: Final = 4
SETTINGS: Final = {"log.segment.delete.delay.ms": "1000"}
"""What a round has written must not stay on the disk for long, nor be written back while another is measured."""


class Stage:
    """Where rounds take place.

    Attributes
    ----------
    stack: Kafka and Redis.
    folder: for logs, state and the model.
    champion: the model that scores.
    """

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.champion: Bundle = promote_model(stack.redis_url, REDIS_PREFIX, folder)
        self._admin = AdminClient({"bootstrap.servers": stack.broker, "log_level": 0})
        self._rounds = 0

    @contextmanager
    def place(self, partitions: int = PARTITIONS) -> Iterator[Place]:
        """Topics for one round; those that a peer makes itself go with them."""
        self._rounds += 1
        place = Place(self.stack.broker, self.stack.redis_url, TopicNames(f"round{self._rounds}."), self.folder)
        create_topics(place.broker, place.topics, partitions)
        try:
            yield place
        finally:
            shutil.rmtree(place.state, ignore_errors=True)
            made = [name for name in self._admin.list_topics().topics if name.startswith(place.topics.prefix)]
            for deleted in self._admin.delete_topics(made).values():
                deleted.result()


@contextmanager
def raised_stage() -> Iterator[Stage]:
    """Start Kafka and Redis, and train the model."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with LocalStack(folder / "stack", kafka_settings=SETTINGS) as stack:
            yield Stage(stack, folder)
