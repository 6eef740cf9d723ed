"""Rounds of workers that score, each worker on topics of its own, on one broker and with one model."""

import time
from collections.abc import Callable
from pathlib import Path

from bench.traffic import Traffic
from bench.worker import Round, Worker
from bench.workload import Workload
from models.schema.topics import TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics, delete_topics, require_broker

REDIS_PREFIX = "bench:"
"""Where the rounds' model lies."""


def fraudstream_worker(stack: LocalStack, folder: Path, topics: TopicNames) -> Worker:
    """Return a `fraudstream score` with all defaults, to be entered; `folder` holds the model's allowed signers."""
    options = ["score", "--topic-prefix", topics.prefix, "--redis-prefix", REDIS_PREFIX, "--group", topics.prefix]
    environment = {
        "FRAUDSTREAM_BROKER": stack.broker,
        "FRAUDSTREAM_REDIS": stack.redis_url,
        "FRAUDSTREAM_DATA": str(folder),
    }
    return Worker.fraudstream(options, environment, folder / "ours.log")


class ScoringRounds:
    """Makes a worker score what comes before, and measures it on what comes then, as fast as the broker takes it.

    Parameters
    ----------
    stack: up.
    folder: for logs and for what workers write; holds the model's allowed signers.
    workload: at least `before` and as many transactions as a round measures.
    before: transactions that are scored unmeasured: they warm the worker up, and are the cards' history.
    """

    def __init__(self, stack: LocalStack, folder: Path, workload: Workload, before: int) -> None:
        self._stack = stack
        self._folder = folder
        self._workload = workload
        self._before = before
        self._rounds = 0

    def ours(self, events: int) -> Round:
        """A round of `fraudstream score`."""
        return self.of(self._ours, events)

    def of(self, make_worker: Callable[[TopicNames], Worker], events: int) -> Round:
        """A round of any worker that reads `transactions` and writes `scores`."""
        self._rounds += 1
        topics = TopicNames(f"round{self._rounds}.")
        create_topics(self._stack.broker, topics, partitions=4)
        try:
            return self._measured(make_worker(topics), topics, events)
        finally:
            self._delete(topics)

    def _measured(self, worker: Worker, topics: TopicNames, events: int) -> Round:
        messages = self._workload.messages

        def work() -> None:
            traffic.send(messages[self._before : self._before + events])
            traffic.receive(worker, events)

        with Traffic(self._stack.broker, topics) as traffic, worker:
            traffic.send(messages[: self._before])
            traffic.receive(worker, self._before)
            time.sleep(1)
            return worker.measured(events, work)

    def _ours(self, topics: TopicNames) -> Worker:
        return fraudstream_worker(self._stack, self._folder, topics)

    def _delete(self, topics: TopicNames) -> None:
        """Delete what the round has sent, and what the worker has made under the same prefix: gigabytes otherwise."""
        present = require_broker(self._stack.broker).list_topics(timeout=30).topics
        delete_topics(self._stack.broker, [name for name in present if name.startswith(topics.prefix)])
