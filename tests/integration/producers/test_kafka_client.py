"""Records on their way to a real broker."""

import socket
import time

import pytest

from models.schema.murmur2 import murmur2_partition
from models.schema.topics import TopicNames
from producers import kafka_client
from producers.kafka_client import BrokerUnreachableError, DeliveryError, Outbox, UnknownTopicError
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import delete_topics
from tests.integration.producers.records import read


def test_records_lie_where_the_java_client_would_put_them_stamped_with_the_wall_clock(
    stack: LocalStack, topics: TopicNames
) -> None:
    before_ms = time.time() * 1000
    outbox = Outbox(stack.broker, [topics.transactions])
    keys = [f"c{number}".encode() for number in range(200)]
    outbox.send_all(topics.transactions, keys, [b"x"] * 200)
    outbox.flush()
    assert outbox.delivered == 200
    messages = read(stack.broker, topics.transactions, 200)
    assert len(messages) == 200
    for message in messages:
        assert message.partition() == murmur2_partition(message.key() or b"", 4)
        assert before_ms - 1 <= message.timestamp()[1] <= time.time() * 1000


def test_the_end_of_what_was_delivered_is_known_by_partition(stack: LocalStack, topics: TopicNames) -> None:
    outbox = Outbox(stack.broker, [topics.transactions], tracks_offsets=True)
    outbox.send_all(topics.transactions, [b"c1"] * 5 + [b"c2"] * 7, [b"x"] * 12)
    outbox.flush()
    expected = {murmur2_partition(b"c1", 4): 5}
    expected[murmur2_partition(b"c2", 4)] = expected.get(murmur2_partition(b"c2", 4), 0) + 7
    assert outbox.ends(topics.transactions) == expected
    assert outbox.ends(topics.labels) == {}


def test_more_records_than_the_local_queue_holds_are_all_delivered(
    stack: LocalStack, topics: TopicNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**kafka_client._SETTINGS, "queue.buffering.max.messages": 100}
    monkeypatch.setattr(kafka_client, "_SETTINGS", settings)
    outbox = Outbox(stack.broker, [topics.transactions])
    outbox.send_all(topics.transactions, [b"c1"] * 5000, [b"x" * 50] * 5000)
    outbox.flush()
    assert outbox.delivered == 5000


def test_a_record_the_broker_refuses_is_an_error(
    stack: LocalStack, topics: TopicNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_client, "_SETTINGS", {**kafka_client._SETTINGS, "delivery.timeout.ms": 2000})
    outbox = Outbox(stack.broker, [topics.transactions])
    outbox.send(topics.transactions, b"c1", b"good")
    outbox.flush()
    delete_topics(stack.broker, [topics.transactions])

    def send_on() -> None:
        for _ in range(100):
            outbox.send(topics.transactions, b"c1", b"x")
            outbox.flush()

    with pytest.raises(DeliveryError, match=f"did not take a record for {topics.transactions}"):
        send_on()


def test_a_record_larger_than_the_client_sends_is_an_error(stack: LocalStack, topics: TopicNames) -> None:
    outbox = Outbox(stack.broker, [topics.transactions])
    with pytest.raises(DeliveryError, match="Message size too large"):
        outbox.send(topics.transactions, b"c1", b"x" * 2_000_000)


def test_an_address_where_nobody_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_client, "ANSWER_S", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(BrokerUnreachableError, match=f"no Kafka broker answers at {address}"):
        Outbox(address, [])


def test_a_topic_that_is_not_there_is_named_and_not_created(stack: LocalStack, unique: str) -> None:
    for _ in range(2):
        with pytest.raises(UnknownTopicError, match=f"has no topic {unique}.transactions"):
            Outbox(stack.broker, [f"{unique}.transactions"])
