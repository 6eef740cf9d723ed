"""What the archive reads: every partition of its topics, each from where its table says."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from stream_app.archive.records import Records

QUEUED_KB: Final = 64 << 10
"""What is fetched ahead, over all partitions: it flows in while a commit is written."""
FETCH_WAIT_MS: Final = 100
PARTITION_FETCH_BYTES: Final = 8 << 20
"""The largest message of `features`: a smaller fetch would take one message at a time."""
REQUEST_S: Final = 15.0

Place = tuple[str, int]
"""A topic's full name and a partition."""


class InputGoneError(FraudstreamError):
    """Raised when records that are not archived yet are no longer in their topic."""


class ArchiveSourceError(FraudstreamError):
    """Raised when the broker refuses what the archive asks."""


class ArchiveSource:
    """A consumer without a group: it assigns itself everything, because the tables hold the positions.

    Parameters
    ----------
    broker: Kafka's address.
    starts: where to read each partition from; None is its beginning.
    accept_loss: whether to go on behind records that are gone.

    Raises
    ------
    InputGoneError: a position lies before the beginning of its partition, or behind its end.
    """

    def __init__(self, broker: str, starts: Mapping[Place, int | None], *, accept_loss: bool = False) -> None:
        self._consumer = Consumer(
            {
                **confluent_settings(broker),
                "group.id": "fraudstream-archive",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": FETCH_WAIT_MS,
                "queued.max.messages.kbytes": QUEUED_KB,
                "max.partition.fetch.bytes": PARTITION_FETCH_BYTES,
            }
        )
        self.next_offsets: dict[Place, int] = {}
        for (topic, partition), start in starts.items():
            first, end = self._range(topic, partition)
            self.next_offsets[topic, partition] = start_offset(
                topic, partition, start, first, end, accept_loss=accept_loss
            )
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in self.next_offsets.items()])

    def read(self, count: int, timeout_s: float) -> list[Records]:
        """Up to `count` records, by partition and in offset order; fewer when no more have come in time."""
        found: dict[Place, list[Message]] = {}
        for message in self._consumer.consume(count, timeout_s):
            error = message.error()
            if error is not None:
                raise ArchiveSourceError(f"reading {message.topic()} {message.partition()}: {error.str()}")
            found.setdefault((message.topic() or "", message.partition() or 0), []).append(message)
        read = [Records(*place, messages) for place, messages in found.items()]
        self.next_offsets |= {(records.topic, records.partition): records.next_offset for records in read}
        return read

    def end(self, place: Place) -> int:
        """The end of a partition, as the last answer of the broker told it."""
        _, end = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
        return max(int(end), self.next_offsets[place])

    def lag(self) -> int:
        """Records that are in the topics and have not been read."""
        return sum(self.end(place) - offset for place, offset in self.next_offsets.items())

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def _range(self, topic: str, partition: int) -> tuple[int, int]:
        try:
            return self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=REQUEST_S)
        except KafkaException as error:
            reason = error.args[0].str() if isinstance(error.args[0], KafkaError) else str(error)
            raise ArchiveSourceError(f"{topic} {partition} does not answer: {reason}") from error


def start_offset(topic: str, partition: int, wanted: int | None, first: int, end: int, *, accept_loss: bool) -> int:
    """Return where to read a partition from; raises InputGoneError when that is not there."""
    if wanted is None or (accept_loss and wanted < first):
        return first
    if wanted < first:
        raise InputGoneError(
            f"{topic} {partition} begins at {first}, the archive goes on at {wanted}: {first - wanted} records are "
            "gone; --accept-loss goes on without them"
        )
    if wanted > end:
        raise InputGoneError(
            f"{topic} {partition} ends at {end}, the archive goes on at {wanted}: the topic has lost records that are "
            "archived; give a fresh --archive, or restore the topic"
        )
    return wanted
