"""The terminal profiles that a watch made in one round, to be sent again in another at the same event times."""

from typing import NamedTuple

from confluent_kafka import Consumer, Message, TopicPartition

from models.schema import wire
from models.schema.terminal_profile import MARKER_KEY, ProfileMarker

ANSWER_S = 30.0


class ProfileRecord(NamedTuple):
    """A record of the topic, and the partition that it lay in."""

    partition: int
    key: bytes
    value: bytes | None
    headers: list[tuple[str, str | bytes | None]]


class ProfileStep(NamedTuple):
    """All that was written for one event time, ms, the markers last."""

    as_of: int
    records: list[ProfileRecord]


def written_steps(broker: str, topic: str) -> list[ProfileStep]:
    """Read a topic from its beginning to its end and return the complete steps, in order."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "bench-profiles", "enable.auto.commit": False})
    try:
        partitions = [
            TopicPartition(topic, number, 0) for number in consumer.list_topics(topic).topics[topic].partitions
        ]
        left = {each.partition: consumer.get_watermark_offsets(each, timeout=ANSWER_S)[1] for each in partitions}
        consumer.assign(partitions)
        steps: dict[int, list[ProfileRecord]] = {}
        open_records: dict[int, list[ProfileRecord]] = {number: [] for number in left}
        while any(left.values()):
            for message in consumer.consume(10_000, timeout=1.0):
                record = _record(message)
                left[record.partition] -= 1
                open_records[record.partition].append(record)
                if record.key == MARKER_KEY:
                    as_of = wire.decode(ProfileMarker, record.value or b"").as_of
                    steps.setdefault(as_of, []).extend(open_records.pop(record.partition))
                    open_records[record.partition] = []
        return [ProfileStep(as_of, steps[as_of]) for as_of in sorted(steps)]
    finally:
        consumer.close()


def _record(message: Message) -> ProfileRecord:
    if message.error() is not None:
        raise RuntimeError(f"the profiles cannot be read: {message.error()}")
    headers = message.headers() or []
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    return ProfileRecord(message.partition() or 0, message.key() or b"", message.value(), pairs)
