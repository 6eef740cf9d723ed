"""Reads what lies on a topic."""

import time
from typing import Any

import msgspec
from confluent_kafka import Consumer, Message, TopicPartition


def read(broker: str, topic: str, count: int, within_s: float = 30) -> list[Message]:
    """The first `count` records of a topic, in the order they arrive; fewer when time is up."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "reader", "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        found: list[Message] = []
        until_s = time.monotonic() + within_s
        while len(found) < count and time.monotonic() < until_s:
            found += [message for message in consumer.consume(count, 0.1) if message.error() is None]
        return found
    finally:
        consumer.close()


def decoded(messages: list[Message]) -> list[dict[str, Any]]:
    """Their values."""
    return [msgspec.json.decode(message.value() or b"") for message in messages]
