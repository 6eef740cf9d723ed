"""What the archive writes to Kafka: dead letters and announcements, each acknowledged before it goes on."""

import time
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.cloud_event import CloudEvent, event_id
from models.schema.dead_letter import DeadLetter
from models.schema.decoding import Rejection
from models.schema.topics import TopicNames
from stream_app.acknowledged_producer import AcknowledgedProducer
from stream_app.archive.records import Records

FLUSH_S: Final = 60.0
EVENT_TYPE: Final = "archive.commit"
EVENT_SOURCE: Final = "archive"
_LOOK_BACK: Final = 100
_POLL_S: Final = 1.0
_AGAIN_S: Final = 0.1


class Outbox:
    """Sends and waits.

    Parameters
    ----------
    broker: Kafka's address.
    topics: names of the topics.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self._broker = broker
        self._topics = topics
        self._producer = AcknowledgedProducer(broker, FLUSH_S)

    def bury(self, records: Records, rejection: Rejection) -> None:
        """Hand a refused record to the dead-letter topic; `settle` waits for it."""
        message = records.messages[rejection.index]
        offset = message.offset() or 0
        letter = DeadLetter.of(rejection, records.topic, records.partition, offset, message.key())
        self._producer.send(self._topics.dead_letter, letter.value, letter.key, letter.headers)

    def announce(self, commit: ArchiveCommit, table_ids: dict[str, str]) -> str:
        """Say how the tables stand, wait for the acknowledgement, and return the event's id.

        The same state has the same id, whoever announces it.
        """
        event = CloudEvent(
            id=event_id(EVENT_SOURCE, table_ids, commit.tables, commit.watermark),
            type=EVENT_TYPE,
            source=EVENT_SOURCE,
            time_ms=commit.committed_at,
            subject=str(commit.watermark),
            correlation_id=event_id(EVENT_SOURCE, table_ids),
        )
        self._producer.send(self._topics.archive_commits, wire.encode(commit), None, event.headers())
        self.settle()
        return event.id

    def settle(self) -> None:
        """Wait until all that was sent is acknowledged; raises DeliveryError when something was not."""
        self._producer.settle()

    def last_announcement(self) -> ArchiveCommit | None:
        """The last state that anybody announced; None before the first."""
        consumer = Consumer(
            {
                **confluent_settings(self._broker),
                "group.id": "fraudstream-archive-commits",  # asked for by the client; nothing is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 10,
            }
        )
        try:
            return _last_commit(consumer, self._topics.archive_commits)
        finally:
            consumer.close()


def _watermarks(consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    """First and end offset; a partition that has just been created may not answer for some moments."""
    until_s = time.monotonic() + FLUSH_S
    while True:
        try:
            return consumer.get_watermark_offsets(partition, timeout=FLUSH_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION or time.monotonic() > until_s:
                raise
            time.sleep(_AGAIN_S)


def _last_commit(consumer: Consumer, topic: str) -> ArchiveCommit | None:
    """The last record that can be read as one; others in between are no announcements of this version."""
    first, end = _watermarks(consumer, TopicPartition(topic, 0))
    if first == end:
        return None
    consumer.assign([TopicPartition(topic, 0, max(first, end - _LOOK_BACK))])
    last: ArchiveCommit | None = None
    while True:
        message = consumer.poll(_POLL_S)
        if message is None:
            continue
        if message.error() is not None:
            return last
        try:
            last = wire.decode(ArchiveCommit, message.value() or b"")
        except wire.RecordError:
            continue
