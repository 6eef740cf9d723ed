"""Creating and describing topics on a real broker."""

import subprocess
import sys

import pytest

from models.schema.topics import DAY_MS, SCORES, TOPICS, TRANSACTIONS, TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import (
    BrokerUnreachableError,
    TopicMismatchError,
    TopicRefusedError,
    UnknownTopicError,
    create_topics,
    delete_topics,
    describe_topics,
    require_broker,
)


def test_every_topic_has_its_partitions_and_retention(stack: LocalStack, topics: TopicNames) -> None:
    described = describe_topics(stack.broker, topics.all())
    for bare, topic in TOPICS.items():
        found = described[topics.of(bare)]
        assert found.partitions == (topic.partitions or 4)
        assert found.retention_ms == topic.retention_ms
        assert found.cleanup_policy == ("compact" if topic.compacted else "delete")


@pytest.mark.parametrize("topics", [2], indirect=True)
def test_the_partition_count_can_be_chosen(stack: LocalStack, topics: TopicNames) -> None:
    described = describe_topics(stack.broker, [topics.transactions, topics.scores, topics.clock])
    assert [one.partitions for one in described.values()] == [2, 2, 1]


def test_settings_can_be_overridden_for_one_topic(stack: LocalStack, unique: str) -> None:
    names = TopicNames(f"{unique}.")
    create_topics(stack.broker, names, overrides={SCORES: {"retention.ms": "1000"}}, only=[SCORES, TRANSACTIONS])
    described = describe_topics(stack.broker, [names.scores, names.transactions])
    assert described[names.scores].retention_ms == 1000
    assert described[names.transactions].retention_ms == 35 * DAY_MS


def test_creating_again_changes_nothing(stack: LocalStack, topics: TopicNames) -> None:
    before = describe_topics(stack.broker, topics.all())
    assert create_topics(stack.broker, topics) == []
    assert describe_topics(stack.broker, topics.all()) == before


def test_another_partition_count_than_the_topic_has_is_refused(stack: LocalStack, topics: TopicNames) -> None:
    with pytest.raises(TopicMismatchError, match="has 4 partitions, not 3"):
        create_topics(stack.broker, topics, partitions=3)


def test_a_recreated_topic_has_another_id(stack: LocalStack, topics: TopicNames) -> None:
    before = describe_topics(stack.broker, [topics.transactions])[topics.transactions]
    delete_topics(stack.broker, [topics.transactions])
    assert create_topics(stack.broker, topics) == [topics.transactions]
    after = describe_topics(stack.broker, [topics.transactions])[topics.transactions]
    assert after.name == before.name
    assert after.topic_id != before.topic_id


def test_a_topic_that_is_not_there_is_named(stack: LocalStack, unique: str) -> None:
    names = TopicNames(f"{unique}.")
    with pytest.raises(UnknownTopicError, match=f"has no topic {unique}.scores; create it with"):
        describe_topics(stack.broker, [names.scores])


def test_a_setting_that_the_broker_refuses_is_said(stack: LocalStack, unique: str) -> None:
    with pytest.raises(TopicRefusedError, match=r"refuses to create topic .*scores"):
        create_topics(
            stack.broker, TopicNames(f"{unique}."), overrides={SCORES: {"retention.ms": "soon"}}, only=[SCORES]
        )


def test_a_broker_that_does_not_answer_is_named_with_the_remedy() -> None:
    with pytest.raises(BrokerUnreachableError, match=r"no Kafka broker answers at 127.0.0.1:1 .*--broker"):
        require_broker("127.0.0.1:1", timeout_s=0.5)


_SLOW_CLIENT = """
import gc, sys, threading
from confluent_kafka.admin import AdminClient
from stream_app.topic_admin import UnknownTopicError, describe_topics

asked, told, collected = AdminClient.describe_configs, threading.Event(), threading.Event()

def ask(self, *args, **kwargs):
    def collect(_):
        told.wait(10)
        gc.collect()  # as may happen in any thread: this one is the client's own
        collected.set()
    futures = asked(self, *args, **kwargs)
    for future in futures.values():
        future.add_done_callback(collect)
    return futures

AdminClient.describe_configs = ask
try:
    describe_topics(sys.argv[1], ["no-such-topic"])
except UnknownTopicError:
    print("refused", flush=True)
told.set()
print("alive" if collected.wait(10) else "nothing was collected")
"""


def test_a_refusal_leaves_no_client_to_be_collected_in_its_own_thread(stack: LocalStack) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _SLOW_CLIENT, stack.broker], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout.splitlines()) == (0, ["refused", "alive"]), ended.stderr
