"""When each score is received, and which transaction it belongs to."""

import gc
import time
from array import array
from types import TracebackType
from typing import Final, Self

import msgspec
import numpy as np
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from numpy.typing import NDArray

from bench.stage import PARTITIONS
from bench.worker import Worker
from models.schema.murmur2 import murmur2_partitions
from models.schema.topics import TopicNames

DEADLINE_S: Final = 60.0


class _Scored(msgspec.Struct):
    source_offset: int
    model_version: str


class Arrivals:
    """Receives the scores of one round one by one, each as soon as it comes.

    Parameters
    ----------
    broker: Kafka's address.
    topics: of the round; scores are read from their beginning.

    Attributes
    ----------
    versions: of the model behind each score of the last `receive`, in the order of sending.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self._topics = topics
        settings = {"bootstrap.servers": broker, "group.id": "none", "auto.offset.reset": "earliest"}
        self._consumer = Consumer({**settings, "enable.auto.commit": False, "log_level": 0})
        self._consumer.assign([TopicPartition(topics.scores, at, OFFSET_BEGINNING) for at in range(PARTITIONS)])
        self._offsets = np.zeros(PARTITIONS, np.int64)
        self.versions: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def receive(self, worker: Worker, keys: list[bytes]) -> NDArray[np.int64]:
        """Receive the scores of the messages with these keys.

        Returns
        -------
        int64[n] ns of the monotonic clock at which each was received, in the order of `keys`.

        Raises
        ------
        RuntimeError: a transaction was scored twice, not at all, or out of its order.
        TimeoutError: some have not come; the text holds where each partition of the topics ends.
        """
        taken = [array("q") for _ in range(PARTITIONS)]
        values: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        gc.disable()
        try:
            self._take(worker, len(keys), taken, values)
        finally:
            gc.enable()
        partitions = murmur2_partitions(keys, PARTITIONS)
        arrived = np.zeros(len(keys), np.int64)
        versions = np.empty(len(keys), object)
        for partition in range(PARTITIONS):
            mine = np.flatnonzero(partitions == partition)
            scored = [msgspec.json.decode(value, type=_Scored) for value in values[partition]]
            first = int(self._offsets[partition])
            if [one.source_offset for one in scored] != list(range(first, first + len(mine))):
                raise RuntimeError(
                    f"partition {partition}: {len(scored)} scores for {len(mine)} transactions, or misplaced"
                )
            arrived[mine] = np.frombuffer(taken[partition], np.int64)
            versions[mine] = [one.model_version for one in scored]
            self._offsets[partition] += len(mine)
        self.versions = versions.tolist()
        return arrived

    def _take(self, worker: Worker, count: int, taken: "list[array[int]]", values: list[list[bytes]]) -> None:
        received, until = 0, time.monotonic() + DEADLINE_S
        poll, clock = self._consumer.poll, time.monotonic_ns
        while received < count:
            message = poll(0.1)
            now = clock()
            if message is None:
                worker.require_alive()
                if time.monotonic() > until:
                    raise TimeoutError(
                        f"{received} of {count} scores within {DEADLINE_S:.0f} s; ends of {self._ends()}; "
                        f"scores taken: {[len(one) for one in values]} behind {self._offsets.tolist()}"
                    )
                continue
            if message.error() is not None:
                raise KafkaException(message.error())
            partition = message.partition() or 0
            taken[partition].append(now)
            values[partition].append(message.value() or b"")
            received += 1

    def _ends(self) -> dict[str, list[int]]:
        """Where each partition ends."""
        return {
            topic: [self._consumer.get_watermark_offsets(TopicPartition(topic, at))[1] for at in range(PARTITIONS)]
            for topic in (self._topics.transactions, self._topics.scores, self._topics.features)
        }
