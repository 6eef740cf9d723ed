"""`fraudstream drift` on topics of a real broker."""

import json
from pathlib import Path

import pytest
from confluent_kafka import Producer

from models.registry import CHAMPION, Registry
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS, TopicNames
from stream_app.chaos.tiny_models import TinyModels
from stream_app.cli import run
from stream_app.stack.local_stack import LocalStack
from stream_app.watch.history.announcement import Announcement, of_drift, of_request, of_statistics
from tests.support.statistics_records import statistics
from tests.support.worker_process import WorkerProcess


def alarm(day: int) -> DriftEvent:
    return DriftEvent(
        model_version="m-1",
        as_of=day * DAY_MS,
        day=day,
        level="alarm",
        kind="performance",
        feature="amount",
        since=(day - 8) * DAY_MS,
        window_days=1,
        summary=f"found on day {day}",
        evidence=[],
        incident=f"incident-{day}",
        reference="four weeks",
        table_versions={"scores": 3},
    )


def request(day: int) -> RetrainRequest:
    return RetrainRequest(
        request_id=f"request-{day}",
        cause="drift",
        incident=f"incident-{day}",
        number=1,
        model_version="m-1",
        as_of=day * DAY_MS,
        changed_at=(day - 8) * DAY_MS,
        frauds_since_change=9,
        reason="it misses more",
        actor="watch/drift",
        table_versions={"scores": 3},
    )


def publish(stack: LocalStack, topics: TopicNames, *announcements: Announcement) -> None:
    producer = Producer({"bootstrap.servers": stack.broker})
    for one in announcements:
        producer.produce(topics.of(one.topic), one.value, one.key, headers=list(one.event.headers()))
    producer.flush()


def drift(stack: LocalStack, topics: TopicNames, *options: str) -> list[str]:
    return ["drift", "--broker", stack.broker, "--topic-prefix", topics.prefix, *options]


def test_it_tells_each_event_once_by_event_time_with_what_it_caused(
    stack: LocalStack, topics: TopicNames, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(drift(stack, topics)) == 0
    assert capsys.readouterr().out == "nothing was found so far\n"
    first, second = of_drift(alarm(17_700), "c"), of_drift(alarm(17_710), "c")
    publish(stack, topics, of_request(request(17_700), first.event.id), first, first, second)
    assert run(drift(stack, topics)) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert [line.split()[:2] for line in said] == [
        ["2018-06-18", "ALARM"],
        ["2018-06-18", "RETRAIN"],
        ["2018-06-28", "ALARM"],
    ]
    assert run(drift(stack, topics, "--json")) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == ["drift.alarm", "retrain.request", "drift.alarm"]
    assert lines[1]["causation_id"] == lines[0]["id"] == first.event.id


def test_what_was_computed_each_day_is_told_on_request(
    stack: LocalStack, topics: TopicNames, capsys: pytest.CaptureFixture[str]
) -> None:
    computed = of_statistics(statistics(17_700), "c")
    publish(stack, topics, of_drift(alarm(17_700), "c"), computed, computed)
    assert run(drift(stack, topics)) == 0
    assert "COMPUTED" not in capsys.readouterr().out
    assert run(drift(stack, topics, "--statistics", "--json")) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == ["drift.alarm", "drift.statistics"]
    assert [one["feature"] for one in lines[1]["features"]] == ["amount", "score"]


def test_followed_it_goes_on_with_what_comes(stack: LocalStack, topics: TopicNames, tmp_path: Path) -> None:
    publish(stack, topics, of_drift(alarm(17_700), "c"))
    follower = WorkerProcess(
        drift(stack, topics, "--follow"), {"FRAUDSTREAM_DATA": str(tmp_path), "PYTHONUNBUFFERED": "1"}, tmp_path / "log"
    )
    try:
        follower.wait_for("found on day 17700")
        publish(stack, topics, of_drift(alarm(17_710), "c"))
        follower.wait_for("found on day 17710")
    finally:
        follower.kill()


def test_a_person_asks_for_a_retrain_of_the_champion_on_what_is_archived(
    stack: LocalStack,
    topics: TopicNames,
    redis_prefix: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = [
        *("drift", "request", "--broker", stack.broker, "--topic-prefix", topics.prefix, "--redis", stack.redis_url),
        *("--redis-prefix", redis_prefix, "--actor", "ana", "--reason", "a new region"),
    ]
    assert run(asked) == 2
    assert "no champion to replace" in capsys.readouterr().err
    registry = Registry(stack.redis_url, redis_prefix)
    version = registry.put(TinyModels(tmp_path).first)
    registry.move(CHAMPION, version, "test", "test")
    assert run(asked) == 2
    assert "nothing is archived yet" in capsys.readouterr().err
    commit = ArchiveCommit({"scores": 7}, {}, 17_700 * DAY_MS, 1_764_000_000_000)
    context = CloudEvent("c", "archive.commit", "archive", 1, "x", "archive")
    producer = Producer({"bootstrap.servers": stack.broker})
    producer.produce(topics.archive_commits, wire.encode(commit), headers=list(context.headers()))
    producer.flush()
    assert run(asked) == 0
    capsys.readouterr()
    assert run(drift(stack, topics, "--json")) == 0
    (told,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    wanted = {"cause": "person", "actor": "ana", "reason": "a new region", "model_version": version}
    assert {name: told[name] for name in wanted} == wanted
    assert (told["as_of"], told["table_versions"]) == (17_700 * DAY_MS, {"scores": 7})
    record = registry.audit()[-1]
    assert (record.kind, record.actor, record.reason) == ("retrain-request", "ana", "a new region")
    assert record.subject == told["request_id"]
    assert told["correlation_id"] == told["id"]
    assert told["causation_id"] is None
