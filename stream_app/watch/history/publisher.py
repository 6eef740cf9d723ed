"""Sends announcements in order, each acknowledged before the next, each id once."""

import logging
from collections.abc import Collection, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from models.access.kafka_settings import aiokafka_settings
from models.schema.cloud_event import CloudEvent, CloudEventError
from models.schema.topics import PERFORMANCE, TopicNames
from stream_app.lease import Lease
from stream_app.telemetry.traces import sending, trace_headers
from stream_app.watch.history.announcement import Announcement

log = logging.getLogger(__name__)

TAIL_RECORDS = 1_000
"""How far back ids are looked up at a start: a day brings a few dozen records at most, and only those of a day whose
closing was not written can come again."""
_POLL_MS = 200


class Publisher:
    """What the agents say to the world.

    Parameters
    ----------
    producer: idempotent, started.
    topics: names of the topics.
    lease: checked before each record.
    published: ids that are on the topics already; these are left out.
    """

    def __init__(
        self, producer: AIOKafkaProducer, topics: TopicNames, lease: Lease, published: Collection[str] = ()
    ) -> None:
        self._producer = producer
        self._topics = topics
        self._lease = lease
        self._published = frozenset(published)

    async def publish(self, announcements: Sequence[Announcement]) -> list[Announcement]:
        """Send what is not there yet and return it; raises KafkaError when something was not acknowledged.

        An alarm is acknowledged before the request that it causes is sent: a chain has no end without a beginning.
        """
        new = [one for one in announcements if one.event.id not in self._published]
        for announcement in new:
            self._lease.check()
            await self._send(announcement)
            _tell(announcement)
        return new

    async def _send(self, announcement: Announcement) -> None:
        topic, event = self._topics.of(announcement.topic), announcement.event
        with sending(topic, event_id=event.id, correlation_id=event.correlation_id):
            await self._producer.send_and_wait(
                topic,
                announcement.value,
                key=announcement.key.encode(),
                headers=[*event.headers(), *trace_headers()],
            )


def _tell(announcement: Announcement) -> None:
    event = announcement.event
    # A day brings some dozen figures of performance, which set nothing off.
    level = logging.DEBUG if announcement.topic == PERFORMANCE else logging.INFO
    ids = {"correlation_id": event.correlation_id, "causation_id": event.causation_id, "event_id": event.id}
    log.log(level, "published %s on %s about %s", event.type, announcement.topic, event.subject, extra=ids)


async def published_ids(broker: str, topics: Sequence[str]) -> set[str]:
    """Return the ids of the last events on topics of one partition."""
    consumer = AIOKafkaConsumer(
        **aiokafka_settings(broker), group_id=None, enable_auto_commit=False, isolation_level="read_committed"
    )
    await consumer.start()
    ids: set[str] = set()
    try:
        partitions = [TopicPartition(topic, 0) for topic in topics]
        consumer.assign(partitions)
        beginnings, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        for partition, end in ends.items():
            consumer.seek(partition, max(beginnings[partition], end - TAIL_RECORDS))
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                ids.update(found for record in records if (found := _id(record.headers)) is not None)
    finally:
        await consumer.stop()
    return ids


def _id(headers: Sequence[tuple[str, bytes]]) -> str | None:
    try:
        return CloudEvent.read(headers).id
    except CloudEventError:  # somebody else's record, which cannot be one of ours
        return None
