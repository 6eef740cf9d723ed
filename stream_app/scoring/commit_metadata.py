"""What a committed offset says beside its number: of which topic, in which epoch, among how many partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from confluent_kafka import ConsumerGroupTopicPartitions

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient


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


def committed_offsets(admin: AdminClient, group: str, topic: str) -> dict[int, Committed]:
    """Committed offsets of a group on one topic, by partition; empty when the group or its offsets are gone."""
    futures = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=15)
    found = futures[group].result().topic_partitions
    return {p.partition: Committed(p.offset, _metadata(p.metadata)) for p in found if p.topic == topic and p.offset >= 0}


def _metadata(text: str | None) -> CommitMetadata | None:
    try:
        return msgspec.json.decode(text or "", type=CommitMetadata)
    except msgspec.MsgspecError:
        return None
