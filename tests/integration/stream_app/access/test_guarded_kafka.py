"""Every process works over TLS and SCRAM with nothing but its own rights, and is refused on one line otherwise."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.access.redis_access import redis_client
from models.schema.topics import TopicNames
from producers.kafka_client import BrokerRefusedError, Outbox
from producers.transaction_clock import TransactionClock
from stream_app.access.fresh_secrets import make_secrets
from stream_app.access.redis_users import redis_rules
from stream_app.chaos.tiny_models import TinyModels
from stream_app.cli import run
from stream_app.drift.stream import DriftStream
from stream_app.performance.reader import read_performance
from stream_app.scores_reader import ScoresReader
from stream_app.topic_admin import AccessDeniedError, create_topics
from tests.support.guarded_kafka import GuardedKafka
from tests.support.guarded_redis import GuardedRedis
from tests.support.payments import payments
from tests.support.scoring_world import ScoringWorld
from tests.support.worker_process import WorkerProcess, prepare, wait_until

PREFIX = "bank:"
TOPICS = TopicNames()
WRONG = "not-the-s3cret"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    """A broker on which every user has what the list says and nothing else."""
    prepare()
    with GuardedKafka(tmp_path_factory.mktemp("guarded")) as running:
        create_topics(running.local, partitions=1)
        assert run(["access", "kafka", "--apply", "--broker", running.local, "--passwords", str(running.secrets)]) == 0
        yield running


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis]:
    passwords = {user: secrets.token_urlsafe(12) for user in redis_rules(PREFIX)}
    with GuardedRedis(tmp_path_factory.mktemp("redis"), passwords, PREFIX) as running:
        yield running


@pytest.fixture(scope="module")
def world(kafka: GuardedKafka, redis: GuardedRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringWorld]:
    """A bank that sends, and people who promote."""
    folder = tmp_path_factory.mktemp("world")
    operator = redis.url_of("operator")
    made = ScoringWorld(kafka.local, operator, PREFIX, TOPICS, folder, TinyModels(folder), 1)
    made.promote(made.models.first)
    yield made
    made.close()


class Guarded:
    """Starts processes, each as a user of its own on both servers."""

    def __init__(self, kafka: GuardedKafka, redis: GuardedRedis, world: ScoringWorld) -> None:
        self.kafka, self.redis, self.world = kafka, redis, world
        self.secrets = {*redis.passwords.values(), WRONG} | {
            (kafka.secrets / name).read_text() for name in kafka.users.values()
        }

    def start(self, user: str, *command: str, name: str = "", **changes: str) -> WorkerProcess:
        environment = {
            **self.kafka.environment(user),
            "FRAUDSTREAM_DATA": str(self.world.folder / (name or user)),
            "FRAUDSTREAM_REDIS": self.redis.url,
            "FRAUDSTREAM_REDIS_PREFIX": PREFIX,
            "FRAUDSTREAM_REDIS_USERNAME": user,
            "FRAUDSTREAM_REDIS_PASSWORD": self.redis.passwords[user],
            "FRAUDSTREAM_REDIS_RELEASER_USERNAME": "releaser",
            "FRAUDSTREAM_REDIS_RELEASER_PASSWORD": self.redis.passwords["releaser"],
        }
        log = self.world.folder / f"{name or user}.log"
        worker = WorkerProcess(command, environment | changes, log)
        self.world.workers.append(worker)
        return worker

    def score(self, name: str, user: str = "score", **changes: str) -> WorkerProcess:
        world = self.world
        options = ["--allowed-signers", str(world.models.signers), "--checkpoints", str(world.checkpoints)]
        return self.start(user, "score", *options, "--session-timeout", "2", name=name, **changes)

    def assert_discreet(self, worker: WorkerProcess) -> None:
        assert not [one for one in self.secrets if one in worker.said]


@pytest.fixture(scope="module")
def guarded(kafka: GuardedKafka, redis: GuardedRedis, world: ScoringWorld) -> Guarded:
    return Guarded(kafka, redis, world)


@pytest.fixture(scope="module")
def refused(
    guarded: Guarded, kafka: GuardedKafka, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, WorkerProcess]:
    """Workers that must not start, all started at once: some of them wait ten seconds for an answer."""
    strange = tmp_path_factory.mktemp("strange")
    make_secrets(strange, [], ["server"], ["127.0.0.1"])
    return {
        "wrong password": guarded.score("wrong-password", FRAUDSTREAM_KAFKA_SASL_PASSWORD=WRONG),
        "wrong authority": guarded.score("wrong-ca", FRAUDSTREAM_KAFKA_SSL_CA_LOCATION=str(strange / "ca.pem")),
        "no encryption": guarded.score("plaintext", FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT"),
        "no rights": guarded.score("no-rights", **kafka.environment("archive")),
        "no such setting": guarded.score("typing-error", FRAUDSTREAM_KAFKA_SASL_PASWORD=WRONG),
    }


@pytest.mark.usefixtures("refused")  # which wait meanwhile
def test_a_worker_scores_over_tls_and_scram_with_its_own_rights_alone(guarded, world):
    worker = guarded.score("scoring")
    world.send(payments(40))
    world.wait_for_all()
    world.check_nothing_lost()
    assert worker.stop() == 0
    guarded.assert_discreet(worker)


def test_archive_watch_and_retrainer_start_with_their_own_rights_alone(guarded, world, redis):
    tables = ("--archive", str(world.folder / "tables"))
    archive = guarded.start("archive", "archive", *tables, "--commit-every", "0.5")
    archive.wait_for("active as archiver")
    watch = guarded.start("watch", "watch", *tables)
    retrain = guarded.start("retrain", "retrain", *tables, "--allowed-signers", str(world.models.signers))
    watch.wait_for("active as keeper")
    watch.wait_for("watching the history")
    retrain.wait_for("active as retrainer")
    with redis_client(redis.url_of("viewer")) as client:
        wait_until(lambda: client.exists(f"{PREFIX}release-loop"), lambda: f"no release loop: {retrain.said}")
    for worker in (archive, watch, retrain):
        assert worker.stop() == 0, worker.said
        guarded.assert_discreet(worker)


@pytest.mark.parametrize(
    ("case", "reason", "remedy"),
    [
        ("wrong password", "refuses user score (", "check sasl.username, sasl.password"),
        ("wrong authority", "no TLS connection is made (", "check security.protocol SASL_SSL and ssl.ca.location"),
        (
            "no encryption",
            "takes connections, but no Kafka broker answers",
            "another security.protocol than SASL_",
        ),
        ("no rights", "user archive ", "`fraudstream access kafka` prints"),
        ("no such setting", 'No such configuration property: "sasl.pasword"', "check FRAUDSTREAM_KAFKA_CONFIG"),
    ],
)
def test_a_worker_without_access_says_why_and_what_to_do_and_no_secret(guarded, refused, case, reason, remedy):
    line = refused[case].refused()
    assert reason in line
    assert remedy in line
    guarded.assert_discreet(refused[case])


def test_senders_readers_and_people_have_what_they_need_and_no_more(kafka, world, monkeypatch):
    def become(user: str) -> None:
        for name, value in kafka.environment(user).items():
            monkeypatch.setenv(name, value)

    become("producer")
    outbox = Outbox(kafka.broker, [TOPICS.transactions, TOPICS.labels, TOPICS.clock], tracks_offsets=True)
    outbox.send(TOPICS.labels, b"card", b"{}")
    outbox.flush()
    with TransactionClock(kafka.broker, TOPICS.transactions) as clock:
        assert clock.advance() >= 0
    with pytest.raises(AccessDeniedError, match="user producer may not look at topic scores"):
        ScoresReader(kafka.broker, "fraudstream-scores-1")
    become("reader")
    with ScoresReader(kafka.broker, "fraudstream-scores-1", idle_timeout_s=1.0) as scores:
        assert list(scores) is not None
    become("operator")
    with DriftStream(kafka.broker, TOPICS) as stream:
        assert stream.past() == []
    assert read_performance(kafka.broker, TOPICS.performance) == []
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_SASL_PASSWORD", WRONG)
    with pytest.raises(BrokerRefusedError, match="refuses user operator") as refused:
        Outbox(kafka.broker, [TOPICS.transactions])
    assert WRONG not in str(refused.value)


def test_only_a_super_user_grants_rights(kafka: GuardedKafka, monkeypatch, capfd):
    for name, value in kafka.environment("operator").items():
        monkeypatch.setenv(name, value)
    assert run(["access", "kafka", "--apply"]) == 2
    assert "does not let user operator grant rights" in capfd.readouterr().err


def test_the_secrets_are_made_once_and_only_their_owner_enters_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert run(["access", "secrets", str(folder)]) == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run(["access", "secrets", str(folder)]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert folder.stat().st_mode & 0o077 == 0
