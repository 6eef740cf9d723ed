"""Which terminals have a profile on the topic `profiles`, whoever published it."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from models.access.kafka_settings import aiokafka_settings
from models.schema.terminal_profile import MARKER_KEY
from stream_app.topic_admin import TopicDescription

_POLL_MS = 500


async def published_terminals(broker: str, profiles: TopicDescription) -> set[str]:
    """Read all of `profiles` and return the ids of the terminals whose last record is a profile, not a removal."""
    consumer = AIOKafkaConsumer(
        **aiokafka_settings(broker), group_id=None, enable_auto_commit=False, isolation_level="read_committed"
    )
    await consumer.start()
    held: dict[bytes, bool] = {}
    try:
        partitions = [TopicPartition(profiles.name, partition) for partition in range(profiles.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                held.update((record.key, record.value is not None) for record in records)
    finally:
        await consumer.stop()
    return {
        key.decode("utf-8", "replace")
        for key, is_profile in held.items()
        if is_profile and key not in {None, MARKER_KEY}
    }
