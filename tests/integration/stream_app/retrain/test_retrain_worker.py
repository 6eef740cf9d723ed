"""The retrainer as a process on real Kafka, Redis and Delta tables."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition

from models.audit.chain import check_chain
from models.registry import CHALLENGER, Registry
from models.schema import wire
from models.schema.dead_letter import DeadLetter
from models.schema.model_event import ModelEvent, check_events
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import TopicNames
from stream_app.audit.copy import read_copy
from stream_app.cli import run
from stream_app.commands.models_train import code_commit
from stream_app.model_store import ModelStore
from stream_app.retrain.making import ArchiveMaking
from stream_app.retrain.report import RetrainReport
from stream_app.retrain.request_source import GROUP
from stream_app.retrain.retrain_store import RetrainStore
from stream_app.retrain.training import retrain
from stream_app.stack.local_stack import LocalStack
from stream_app.stack.port import free_ports
from stream_app.watch.history.announcement import of_request
from tests.support.archived_bank import FIRST_DAY
from tests.support.release_world import events_of
from tests.support.retrain_sabotage import STEPS
from tests.support.retrain_world import LIMITS, PLAN, RetrainMaterial
from tests.support.topic_recorder import TopicRecorder
from tests.support.worker_process import WorkerProcess, wait_until

pytestmark = pytest.mark.parametrize("topics", [2], indirect=True)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> RetrainMaterial:
    return RetrainMaterial(tmp_path_factory.mktemp("bank"))


class World:
    """One set of topics and keys, and the retrainers on it."""

    def __init__(
        self, stack: LocalStack, topics: TopicNames, prefix: str, folder: Path, material: RetrainMaterial
    ) -> None:
        self.broker, self.redis_url, self.topics, self.prefix = stack.broker, stack.redis_url, topics, prefix
        self.folder, self.material = folder, material
        self.registry = Registry(stack.redis_url, prefix)
        self.store = RetrainStore(stack.redis_url, prefix)
        self.started: list[WorkerProcess] = []
        self._producer = Producer({"bootstrap.servers": stack.broker, "linger.ms": 0})
        self.plan = folder / "plan.json"
        self.plan.write_bytes(msgspec.json.encode({"retrain": PLAN, "gate": LIMITS}))
        self.registry.put(material.champion)
        self.registry.promote(material.champion.version, "ada", "first")

    @property
    def options(self) -> list[str]:
        return ["--redis", self.redis_url, "--redis-prefix", self.prefix, "--archive", self.material.archive.url]

    def start(self, *options: str, sabotage: Callable[[], None] | None = None) -> WorkerProcess:
        arguments = [
            *("retrain", *self.options, "--broker", self.broker, "--topic-prefix", self.topics.prefix),
            *("--plan", str(self.plan), "--train-from", self.material.archive.date(0), "--lease", "1"),
            *("--signing-key", str(self.material.folder / "signing-key.pem")),
            *("--allowed-signers", str(self.material.folder / "allowed-signers"), *options),
        ]
        environment = {"FRAUDSTREAM_DATA": str(self.folder / "data")}
        log = self.folder / f"retrainer-{len(self.started)}.log"
        self.started.append(WorkerProcess(arguments, environment, log, sabotage))
        return self.started[-1]

    def forget_leases(self) -> None:
        """Let the next one begin at once, as it would once the lease of the one that was killed has run out."""
        client = redis.Redis.from_url(self.redis_url)
        client.delete(f"{self.prefix}retrainer", f"{self.prefix}release-loop")
        client.close()

    def ask(self, **changes: object) -> RetrainRequest:
        request = self.material.request(**changes)
        announcement = of_request(request, None)
        self.write(announcement.value, announcement.key.encode())
        return request

    def write(self, value: bytes, key: bytes | None = None) -> None:
        self._producer.produce(self.topics.retrain_requests, value, key)
        self._producer.flush()

    def announce(self, first: int, behind: int) -> None:
        for event, commit in self.material.archive.announcements[first:behind]:
            headers: Any = event.headers()
            self._producer.produce(self.topics.archive_commits, wire.encode(commit), headers=headers)
        self._producer.flush()

    def wait_for(self, request_id: str, outcome: str) -> RetrainReport:
        def look() -> RetrainReport | None:
            report = self.store.report(request_id)
            if report is None or report.outcome != outcome:
                assert self.started[-1].running, self.started[-1].said
                return None
            return report

        found = wait_until(look, lambda: f"{outcome} of {request_id}: {self.started[-1].said}")
        assert found is not None
        return found

    def events(self) -> list[ModelEvent]:
        return events_of(self.broker, self.topics.model_events)

    def dead_letters(self) -> list[DeadLetter]:
        recorder = TopicRecorder(self.broker, self.topics.dead_letter)
        recorder.read_to_end()
        recorder.close()
        return [
            DeadLetter.read(message.key(), message.value(), dict(message.headers() or ()).items())
            for messages in recorder.records.values()
            for message in messages
        ]

    def position(self) -> int:
        consumer = Consumer({"bootstrap.servers": self.broker, "group.id": self.topics.prefix + GROUP})
        found = consumer.committed([TopicPartition(self.topics.retrain_requests, 0)], timeout=10)[0].offset
        consumer.close()
        return int(found)


@pytest.fixture
def world(
    stack: LocalStack, topics: TopicNames, redis_prefix: str, tmp_path: Path, material: RetrainMaterial
) -> Iterator[World]:
    made = World(stack, topics, redis_prefix, tmp_path, material)
    yield made
    for worker in made.started:
        worker.kill()
    del made._producer


def expected_version(material: RetrainMaterial, request: RetrainRequest) -> str:
    """What comes of a request without Kafka, processes and crashes."""
    making = ArchiveMaking(
        request=request, as_of=request.as_of, table_versions=request.table_versions,
        fitted_until={material.champion.version: material.champion.manifest.data.to_event_time}, maturity_days=7.0,
        train_from=FIRST_DAY, plan=PLAN, limits=LIMITS,
    )  # fmt: skip
    made = retrain(
        making, material.champion, material.archive.url, {}, code_commit=code_commit(), key=material.key,
        allowed=material.allowed, report=lambda _: None,
    )  # fmt: skip
    assert made.bundle is not None, made.gate.reasons
    return made.bundle.version


@pytest.mark.slow
def test_killed_at_each_step_it_brings_one_model_the_one_that_an_undisturbed_run_brings(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = world.ask()
    for step, sabotage in STEPS.items():
        killed = world.start(sabotage=sabotage)
        assert killed.ended() == -9, (step, killed.said)
        world.forget_leases()
    worker = world.start()
    report = world.wait_for("q1", "offered")
    wait_until(lambda: world.position() == 1, "the position behind the request")
    version = expected_version(world.material, request)
    assert report.version == version
    assert {one.version for one in world.registry.manifests()} == {world.material.champion.version, version}
    wait_until(lambda: world.registry.alias(CHALLENGER), "the candidate as challenger")
    wait_until(lambda: len(world.events()) >= 2, "two events")
    events = world.events()
    assert [(one.kind, one.version, one.request_id) for one in events] == [
        ("registered", version, "q1"), ("shadow started", version, "q1"),
    ]  # fmt: skip
    check_events(events)
    manifest = world.registry.manifest(version)
    assert (manifest.lineage.retrain_request, manifest.lineage.parent) == ("q1", world.material.champion.version)
    assert manifest.data.table_versions == request.table_versions == report.table_versions
    told = [record.kind for record in world.registry.audit() if record.kind not in ("alias-move", "placement")]
    assert sorted(told) == ["gate-verdict", "release", "retrain-outcome", "retrain-request"]
    check_chain(world.registry.audit())

    def copied() -> bool:
        return read_copy(world.broker, world.topics.audit).records == world.registry.audit()

    wait_until(copied, "the audit in Kafka")
    kept = ModelStore.in_archive(world.material.archive.url)
    wait_until(lambda: {world.material.champion.version, version} <= set(kept.versions()), "the models in the archive")
    assert kept.get(version).verify(world.material.allowed).version == version
    assert worker.stop() == 0
    monkeypatch.setenv("FRAUDSTREAM_ALLOWED_SIGNERS", str(world.material.folder / "allowed-signers"))
    assert run(["models", "reproduce", version, *world.options]) == 0
    assert f"{version}: equal" in capsys.readouterr().out
    addresses = ["--redis", world.redis_url, "--redis-prefix", world.prefix]
    for name in ("q1", version, CHALLENGER):
        assert run(["models", "report", name, *addresses, "--json"]) == 0
        assert msgspec.json.decode(capsys.readouterr().out, type=RetrainReport) == report
    assert run(["models", "report", "q1", *addresses]) == 0
    assert "average_precision_since_change" in capsys.readouterr().out.replace("\n", "")


@pytest.mark.slow
def test_undecided_is_tried_again_with_another_mature_day_and_what_fails_becomes_a_dead_letter(world: World) -> None:
    (port,) = free_ports(1)
    world.announce(0, 18)
    world.write(b"no request")
    world.ask(day=18)
    worker = world.start("--failures", "0", "--web-port", str(port))
    assert "30 are needed" in world.wait_for("q1", "waiting").reasons[0]
    assert world.position() < 2
    world.announce(18, 19)
    world.ask(day=18)
    report = world.wait_for("q1", "offered")
    assert (report.number, report.table_versions) == (2, world.material.archive.announcements[18][1].tables)
    unreadable = world.ask(request_id="q2", cause="person", incident=None, table_versions={"scores": 999})
    assert "version 999" in world.wait_for("q2", "failed").reasons[0]
    wait_until(lambda: world.position() == 4, "everything is done")
    wait_until(lambda: len(world.events()) == 3, "three events")
    assert [(one.kind, one.request_id) for one in world.events()] == [
        ("undecided", "q1"), ("registered", "q1"), ("shadow started", "q1"),
    ]  # fmt: skip
    letters = {letter.offset: letter for letter in world.dead_letters()}
    assert {letter.topic for letter in letters.values()} == {world.topics.retrain_requests}
    assert (letters[0].value, wire.decode(RetrainRequest, letters[3].value)) == (b"no request", unreadable)
    assert "version 999" in letters[3].reason
    state = json.loads(_page(port, "readyz"))
    assert (state["state"], state["step"]) == ("active", "idle")
    metrics = _page(port, "metrics")
    assert 'fraudstream_retrain_verdicts_total{verdict="undecided"} 1.0' in metrics
    assert 'fraudstream_retrain_requests_taken_total{cause="drift"} 1.0' in metrics
    assert "fraudstream_retrain_dead_letters_total 2.0" in metrics
    assert worker.stop() == 0


def test_sigterm_ends_a_training_within_seconds_and_a_standby_takes_it_up(world: World) -> None:
    first = world.start()
    first.wait_for("active as retrainer")
    second = world.start()
    second.wait_for("standing by: another retrainer holds the lease")
    world.ask()
    (training,) = wait_until(lambda: _trainings(first.pid), "a training")
    began_s = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - began_s < 5
    assert not training.is_running()
    (training,) = wait_until(lambda: _trainings(second.pid), "the training again")
    second.kill()
    wait_until(lambda: not training.is_running(), "the end of a training whose worker was killed")


def _trainings(pid: int) -> list[psutil.Process]:
    return [one for one in psutil.Process(pid).children() if "training_process" in " ".join(one.cmdline())]


def _page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
        return str(answer.read().decode())
