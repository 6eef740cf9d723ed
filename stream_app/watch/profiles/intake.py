"""What one read of the inputs brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition


@dataclass(frozen=True, slots=True)
class Intake:
    """Records by partition, and from where to read on once they are counted."""

    records: Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]
    next_offsets: Mapping[TopicPartition, int]
    at_s: float
    """When it was read, on the monotonic clock."""
