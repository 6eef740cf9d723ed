"""Looks at Kafka and Redis once, cheaply enough to do it each second beside the work."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import redis

from models.access.redis_access import failure, redis_client
from models.schema.topics import TopicNames
from stream_app.top.findings import Findings
from stream_app.top.picture import Finding, PartitionView, Picture, Sample
from stream_app.top.scores_sample import ScoresSample
from stream_app.top.tail_reader import TailReader, TopicSilentError
from stream_app.topic_admin import describe_topics
from stream_app.worker_status import WorkerStatus, read_workers

REDIS_S = 2.0


class Look:
    """Holds the connections, and the ends of the look before, for rates.

    Parameters
    ----------
    broker: Kafka's address.
    redis_url: Redis' address.
    topics: names of the topics.
    redis_prefix: what Redis' keys begin with.
    clock_s: seconds that only grow.

    Raises
    ------
    BrokerUnreachableError, UnknownTopicError: naming the address or the topic.
    """

    def __init__(
        self,
        broker: str,
        redis_url: str,
        topics: TopicNames,
        redis_prefix: str,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        followed = [topics.transactions, topics.scores, topics.drift_events, topics.retrain_requests]
        described = describe_topics(broker, [*followed, topics.model_events])
        self._topics, self._redis_prefix, self._clock_s = topics, redis_prefix, clock_s
        self._count = described[topics.transactions].partitions
        self._reader = TailReader(broker)
        self._scores = ScoresSample(self._reader, topics)
        self._findings = Findings(self._reader, topics)
        self._redis = redis_client(redis_url, socket_timeout=REDIS_S, socket_connect_timeout=REDIS_S)
        self._before: tuple[float, int, int] | None = None
        self._last = Picture(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._reader.close()
        self._redis.close()

    def take(self) -> Picture:
        """Return what there is to see now; of what is silent, what was seen last."""
        silent: list[str] = []
        workers = self._workers(silent)
        kafka = self._kafka(silent)
        partitions, rates, sample, findings = kafka or (
            self._last.partitions, (None, None), self._last.sample, self._last.findings
        )  # fmt: skip
        self._last = Picture(
            at_ms=time.time_ns() // 1_000_000,
            partitions=partitions,
            received_per_s=rates[0],
            scored_per_s=rates[1],
            sample=sample,
            workers=workers,
            findings=findings,
            silent="; ".join(silent) or None,
        )
        return self._last

    def _kafka(
        self, silent: list[str]
    ) -> tuple[list[PartitionView], tuple[float | None, float | None], Sample, list[Finding]] | None:
        try:
            transactions = self._reader.ends(self._topics.transactions, self._count)
            scores = self._reader.ends(self._topics.scores, self._count)
            rates = self._rates(sum(end for _, end in transactions.values()), sum(end for _, end in scores.values()))
            sample, scored = self._scores.take(scores, transactions)
            findings = self._findings.latest()
        except TopicSilentError as error:
            self._before = None
            silent.append(str(error))
            return None
        partitions = [
            PartitionView(number, end, scored.get(number, first)) for number, (first, end) in transactions.items()
        ]
        return partitions, rates, sample, findings

    def _rates(self, received: int, scored: int) -> tuple[float | None, float | None]:
        before, self._before = self._before, (self._clock_s(), received, scored)
        if before is None or self._before[0] <= before[0]:
            return None, None
        took_s = self._before[0] - before[0]
        return max(0.0, (received - before[1]) / took_s), max(0.0, (scored - before[2]) / took_s)

    def _workers(self, silent: list[str]) -> list[WorkerStatus]:
        try:
            return sorted(read_workers(self._redis, self._redis_prefix), key=lambda worker: worker.writer)
        except (redis.RedisError, OSError) as error:
            silent.append(failure(error, self._redis))
            return list(self._last.workers)
