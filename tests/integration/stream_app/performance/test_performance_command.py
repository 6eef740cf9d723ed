"""`fraudstream performance` on a real topic."""

from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from models.schema import wire
from models.schema.topics import PERFORMANCE
from stream_app.cli import run
from stream_app.stack.local_stack import LocalStack
from tests.integration.conftest import TopicFactory
from tests.support.performance_records import record


def test_the_weeks_are_read_from_the_topic_and_each_event_once(
    stack: LocalStack, make_topics: TopicFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    topics = make_topics(only=[PERFORMANCE])
    arguments = ["performance", "--broker", stack.broker, "--topic-prefix", topics.prefix]
    assert run(arguments) == 0
    assert "no week yet" in capsys.readouterr().out

    restated = record(0, state="restated", revision=2, recall=0.5)
    other = record(1, version="m-2")
    producer = Producer({"bootstrap.servers": stack.broker})
    for each in (record(0), other, other, restated):  # one was published again after a crash
        producer.produce(topics.performance, wire.encode(each), each.model_version)
    assert producer.flush(10) == 0

    assert run([*arguments, "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [msgspec.json.decode(line)["event_id"] for line in lines] == ["m-1/0/2", "m-2/1/1"]
    assert run([*arguments, "--all", "--picture", str(tmp_path / "weeks.svg")]) == 0
    out = capsys.readouterr().out
    assert (out.count("m-1"), out.count("m-2"), out.count("2018-06-18 *")) == (2, 1, 1)
    assert (tmp_path / "weeks.svg").exists()
    assert run([*arguments, "--model", "m-2", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
