"""What a committed offset says beside its number: of which topic, in which epoch, among how many partitions."""

import msgspec
from aiokafka.admin import AIOKafkaAdminClient

from models.access.kafka_settings import aiokafka_settings


class CommitMetadata(msgspec.Struct, frozen=True):
    """Travels as JSON in the metadata of the offset commit."""

    topic_id: str
    epoch: int
    partitions: int

    def encode(self) -> str:
        """The metadata as the text that Kafka stores."""
        return msgspec.json.encode(self).decode()


class Committed(msgspec.Struct, frozen=True):
    """A partition's committed offset; `metadata` is None when this package did not write it."""

    offset: int
    metadata: CommitMetadata | None


async def committed_offsets(broker: str, group: str, topic: str) -> dict[int, Committed]:
    """Committed offsets of a group on one topic, by partition; empty when the group or its offsets are gone."""
    # Not librdkafka's: it reads a commit's metadata beyond its end (confluent-kafka 2.16).
    admin = AIOKafkaAdminClient(**aiokafka_settings(broker))
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {
        key.partition: Committed(value.offset, _metadata(value.metadata))
        for key, value in found.items()
        if key.topic == topic and value.offset >= 0
    }


def _metadata(text: str | None) -> CommitMetadata | None:
    try:
        return msgspec.json.decode(text or "", type=CommitMetadata)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
