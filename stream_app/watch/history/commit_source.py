"""What the archive announces, read in order from where the closings say."""

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from models.access.kafka_settings import aiokafka_settings
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.cloud_event import CloudEvent, CloudEventError
from stream_app.telemetry.traces import trace_of
from stream_app.watch.dead_letters import DeadLetters, DeadRecord
from stream_app.watch.history.commit import AnnouncedCommit

POLL_MS = 200


class CommitSource:
    """Reads the one partition of `archive-commits`. Made inside a running event loop.

    Parameters
    ----------
    broker: Kafka's address.
    topic: full name of `archive-commits`.
    dead_letters: take what is no announcement.
    """

    def __init__(self, broker: str, topic: str, dead_letters: DeadLetters) -> None:
        self._partition = TopicPartition(topic, 0)
        self._dead_letters = dead_letters
        self._consumer = AIOKafkaConsumer(
            **aiokafka_settings(broker),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=POLL_MS,
        )

    async def start(self, offset: int | None) -> None:
        """Go to an offset, or to the beginning where there is none or it is gone: each one says all there is."""
        await self._consumer.start()
        self._consumer.assign([self._partition])
        beginning = (await self._consumer.beginning_offsets([self._partition]))[self._partition]
        end = (await self._consumer.end_offsets([self._partition]))[self._partition]
        known = offset is not None and beginning <= offset <= end
        self._consumer.seek(self._partition, offset if known and offset is not None else beginning)

    async def read(self) -> list[AnnouncedCommit]:
        """Announcements since the last read; none when nothing came for a while."""
        found = []
        for records in (await self._consumer.getmany(timeout_ms=POLL_MS)).values():
            for record in records:
                announced = await self._read(record)
                found += [] if announced is None else [announced]
        return found

    async def stop(self) -> None:
        """Close the connection."""
        await self._consumer.stop()

    async def _read(self, record: ConsumerRecord[bytes, bytes]) -> AnnouncedCommit | None:
        try:
            event = CloudEvent.read(record.headers)
            commit = wire.decode(ArchiveCommit, record.value or b"")
        except (CloudEventError, wire.RecordError) as error:
            await self._dead_letters.bury(
                DeadRecord(record.topic, record.partition, record.offset, record.key, record.value, str(error))
            )
            return None
        return AnnouncedCommit(record.offset, event.id, event.correlation_id, commit, trace_of(record.headers))
