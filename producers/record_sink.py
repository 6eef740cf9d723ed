"""What producers need of the place their records go to."""

from collections.abc import Sequence
from typing import Protocol


class RecordSink(Protocol):
    """Takes records in order; `producers.kafka_client.Outbox` is the one on Kafka."""

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Take one record."""
        ...

    def send_all(self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes]) -> None:
        """Take records in order."""
        ...

    def poll(self) -> None:
        """Take note of deliveries while there is nothing to send."""
        ...

    def flush(self) -> None:
        """Wait until all are delivered."""
        ...

    def ends(self, topic: str) -> dict[int, int]:
        """Return, by partition, the offset behind the last record delivered."""
        ...
