"""The console on real topics: its process, its people, and what scorers would write."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from models.registry import Registry
from models.schema import wire
from models.schema.score import ReasonCode, Score
from models.schema.topics import TopicNames
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.role import Role
from stream_app.stack.local_stack import LocalStack
from stream_app.stack.port import free_ports
from tests.support.worker_process import WorkerProcess

PASSWORD = "correct horse battery"


class ConsoleWorld:
    """A console, and a hand on its topics.

    Parameters
    ----------
    stack, topics, redis_prefix: where.
    folder: the data folder.
    """

    def __init__(self, stack: LocalStack, topics: TopicNames, redis_prefix: str, folder: Path) -> None:
        self.stack, self.topics, self.redis_prefix, self.folder = stack, topics, redis_prefix, folder
        self.registry = Registry(stack.redis_url, redis_prefix)
        self.accounts = Accounts(folder / "console-users.json")
        for role in Role:
            self.accounts.keep(role.word, self.accounts.made(role.word, role, PASSWORD, 1))
        (self.port,) = free_ports(1)
        self.process: WorkerProcess | None = None
        self._producer = Producer({"bootstrap.servers": stack.broker, "linger.ms": 0})
        self._offsets = itertools.count()
        self._started = itertools.count()

    @property
    def address(self) -> str:
        """Where its pages are, without the last slash."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str) -> WorkerProcess:
        """Start the console, and wait until it listens and reads."""
        arguments = [
            *("console", "--broker", self.stack.broker, "--redis", self.stack.redis_url),
            *("--topic-prefix", self.topics.prefix, "--redis-prefix", self.redis_prefix),
            *("--web-port", str(self.port), *options),
        ]
        log = self.folder / f"console-{next(self._started)}.log"
        self.process = process = WorkerProcess(arguments, {"FRAUDSTREAM_DATA": str(self.folder)}, log)
        process.wait_for("the feed of scores is read")
        process.wait_for("the feed of events is read")
        return process

    def close(self) -> None:
        """End the console and disconnect."""
        if self.process is not None:
            self.process.kill()
        del self._producer

    def produce(self, topic: str, value: bytes, partition: int = 0, **more: Any) -> None:
        """Write a record and wait until it is there."""
        self._producer.produce(topic, value, partition=partition, **more)
        assert self._producer.flush(30) == 0

    def score(self, transaction_id: str, **changed: Any) -> Score:
        """Write a score as a scorer would."""
        made = a_score(transaction_id, next(self._offsets), **changed)
        self.produce(self.topics.scores, wire.encode(made), key=made.card_id.encode())
        return made


def a_score(transaction_id: str, source_offset: int, **changed: Any) -> Score:
    """A score of a transaction: declined for its amount, unless changed."""
    now_ms = time.time_ns() // 1_000_000
    said: dict[str, Any] = {
        "transaction_id": transaction_id,
        "event_time": now_ms,
        "card_id": "card-00012345",
        "score": 0.91,
        "score_scaled": 910,
        "decision": "decline",
        "reason_codes": [ReasonCode("unusual amount", "amount_over_mean", 9.5, 1.25)],
        "model_version": "m-1",
        "feature_set": "f-1",
        "role": "champion",
        "scored_at": now_ms,
        "degraded": False,
        "duplicate": False,
        "source_offset": source_offset,
        "epoch": 0,
        "writer": "w1",
    }
    return Score(**(said | changed))


@contextmanager
def console_world(
    stack: LocalStack, topics: TopicNames, redis_prefix: str, folder: Path, *options: str
) -> Iterator[ConsoleWorld]:
    """A world whose console runs until the end of the `with`."""
    world = ConsoleWorld(stack, topics, redis_prefix, folder)
    try:
        world.start(*options)
        yield world
    finally:
        world.close()
