"""Sends the profiles of a step, then its marker, each acknowledged before the next."""

import asyncio
import itertools
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from models.features.profile_keeper import ProfileStep
from models.schema import wire
from models.schema.murmur2 import murmur2_partitions
from models.schema.terminal_profile import KEEPER_EPOCH_HEADER, MARKER_KEY, ProfileMarker
from stream_app.lease import Lease

Record = tuple[bytes, bytes | None]


class ProfilePublisher:
    """Publishes steps to `profiles`; a reader that sees a step's marker has seen all its profiles.

    Parameters
    ----------
    producer: idempotent, started; its batches keep their order within a partition.
    topic: full name of `profiles`.
    partitions: its number of partitions.
    lease: checked before the profiles and again before the markers are sent.
    keeper: name of this process.
    """

    def __init__(self, producer: AIOKafkaProducer, topic: str, partitions: int, lease: Lease, keeper: str) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = partitions
        self._lease = lease
        self._keeper = keeper

    async def publish(self, step: ProfileStep) -> None:
        """Send one step; returns when everything is acknowledged, raises KafkaError when something was not."""
        records = self._by_partition(step)
        self._lease.check()
        await self._send({partition: chosen for partition, chosen in enumerate(records) if chosen})
        self._lease.check()
        await self._send({partition: [self._marker(step, len(chosen))] for partition, chosen in enumerate(records)})

    def _by_partition(self, step: ProfileStep) -> list[list[Record]]:
        records: list[Record] = [(profile.terminal_id.encode(), wire.encode(profile)) for profile in step.changed]
        records += [(terminal_id.encode(), None) for terminal_id in step.removed]
        chosen: list[list[Record]] = [[] for _ in range(self._partitions)]
        if records:
            partitions = murmur2_partitions([key for key, _ in records], self._partitions).tolist()
            for record, partition in zip(records, partitions, strict=True):
                chosen[partition].append(record)
        return chosen

    def _marker(self, step: ProfileStep, profiles: int) -> Record:
        marker = ProfileMarker(
            as_of=step.as_of,
            profiles=profiles,
            youngest_label_event_time=step.youngest_label_event_time,
            keeper=self._keeper,
            keeper_epoch=self._lease.epoch,
        )
        return MARKER_KEY, wire.encode(marker)

    async def _send(self, records: dict[int, list[Record]]) -> None:
        batches = [await self._send_partition(partition, chosen) for partition, chosen in records.items()]
        await asyncio.gather(*itertools.chain.from_iterable(batches))

    async def _send_partition(self, partition: int, records: Sequence[Record]) -> list[asyncio.Future[RecordMetadata]]:
        """Fill and send as many batches as it takes; a full batch refuses a record, which opens the next."""
        headers = [(KEEPER_EPOCH_HEADER, str(self._lease.epoch).encode())]
        sent = []
        batch = self._producer.create_batch()
        for key, value in records:
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                sent.append(await self._producer.send_batch(batch, self._topic, partition=partition))
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=headers)
        sent.append(await self._producer.send_batch(batch, self._topic, partition=partition))
        return sent
