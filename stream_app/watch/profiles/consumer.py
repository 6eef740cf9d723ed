"""The keeper's inputs: every partition of `features`, `labels` and `clock`, read from where the state says."""

import time
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from models.access.kafka_settings import aiokafka_settings
from models.errors import FraudstreamError
from stream_app.topic_admin import TopicDescription
from stream_app.watch.profiles.intake import Intake

POLL_MS = 200
PARTITION_FETCH_BYTES = 8 << 20
"""The largest message of `features`: a smaller fetch would take one message at a time."""


class InputGoneError(FraudstreamError):
    """Raised when the records that the state goes on with are not in the topic."""


class KeeperConsumer:
    """Reads whole intakes; assigns its partitions itself, because one keeper needs all of them.

    Made inside a running event loop.

    Parameters
    ----------
    broker: Kafka's address.
    """

    def __init__(self, broker: str) -> None:
        self._consumer = AIOKafkaConsumer(
            **aiokafka_settings(broker),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=POLL_MS,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        )
        self._partitions: list[TopicPartition] = []

    async def start(self, topics: Mapping[str, TopicDescription], offsets: Mapping[str, Mapping[int, int]]) -> None:
        """Assign all partitions and go to the offsets; a partition without one is read from its beginning.

        Raises
        ------
        InputGoneError: an offset lies before the beginning or behind the end of its partition.
        """
        await self._consumer.start()
        self._partitions = [TopicPartition(name, p) for name, topic in topics.items() for p in range(topic.partitions)]
        self._consumer.assign(self._partitions)
        beginnings = await self._consumer.beginning_offsets(self._partitions)
        ends = await self._consumer.end_offsets(self._partitions)
        for source in self._partitions:
            offset = offsets[source.topic].get(source.partition, beginnings[source])
            if not beginnings[source] <= offset <= ends[source]:
                raise InputGoneError(
                    f"{source.topic} {source.partition} holds offsets {beginnings[source]} to {ends[source]}, the "
                    f"checkpoint goes on at {offset}: records in between are gone; remove the checkpoint to count what "
                    "is left"
                )
            self._consumer.seek(source, offset)

    async def read(self) -> Intake:
        """What has come since the last read; empty when nothing came for a while."""
        records = await self._consumer.getmany(timeout_ms=POLL_MS)
        next_offsets = {source: await self._consumer.position(source) for source in self._partitions}
        return Intake(records, next_offsets, time.monotonic())

    async def stop(self) -> None:
        """Close the connection."""
        await self._consumer.stop()
