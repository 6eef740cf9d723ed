"""The audit in Redis and in Kafka: everything that is done to either is found, and a crash loses nothing."""

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import redis
from confluent_kafka import Producer, TopicPartition

from models.audit.chain import AuditError, Entry, chained, check_chain
from models.registry import Registry
from models.schema.audit_record import AuditRecord
from models.schema.topics import AUDIT, TopicNames
from models.signing import SigningKey
from stream_app.acknowledged_producer import AcknowledgedProducer, DeliveryError
from stream_app.audit.copy import read_copy
from stream_app.audit.publisher import AuditPublisher
from stream_app.cli import run
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import admin_client
from tests.integration.conftest import TopicFactory
from tests.support.command_environment import set_environment


@dataclass
class World:
    """An audit of eight records, published and signed; `fraudstream` finds it by its environment."""

    broker: str
    topics: TopicNames
    prefix: str
    client: redis.Redis
    registry: Registry
    key: SigningKey
    folder: Path

    @property
    def audit_key(self) -> str:
        return f"{self.prefix}audit"

    def publisher(self) -> AuditPublisher:
        return AuditPublisher(self.broker, self.topics, self.registry.log, self.key)

    def copy(self) -> list[AuditRecord]:
        return read_copy(self.broker, self.topics.audit).records

    def send(self, *records: AuditRecord) -> None:
        """Put records on the topic as somebody would who has no key."""
        producer = Producer({"bootstrap.servers": self.broker})
        for record in records:
            producer.produce(self.topics.audit, record.canonical())
        assert not producer.flush(10)

    def rewrite(self, records: list[AuditRecord]) -> None:
        """Put another chain into Redis, as its administrator can."""
        self.client.delete(self.audit_key)
        self.client.rpush(self.audit_key, *[record.canonical() for record in records])

    def export(self) -> Path:
        file = self.folder / "audit.jsonl"
        assert run(["audit", "export", str(file)]) == 0
        return file


def entries(count: int) -> list[Entry]:
    return [Entry("login", f"person {number}", "password and key", "console") for number in range(count)]


@pytest.fixture
def world(
    stack: LocalStack,
    make_topics: TopicFactory,
    redis_prefix: str,
    redis_client: "redis.Redis",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    topics = make_topics(only=[AUDIT])
    set_environment(monkeypatch, tmp_path, stack, topics, redis_prefix)
    key = SigningKey.load_or_create(tmp_path / "signing-key.pem")
    key.publish(tmp_path / "allowed-signers")
    registry = Registry(stack.redis_url, redis_prefix)
    made = World(stack.broker, topics, redis_prefix, redis_client, registry, key, tmp_path)
    for entry in entries(8):
        registry.log.append(entry)
    made.publisher().publish()
    return made


def verified(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run `audit verify` and return its one line: what it says, or what it has found."""
    capsys.readouterr()
    code = run(["audit", "verify", *arguments])
    captured = capsys.readouterr()
    assert code in (0, 2), captured
    (line,) = (captured.err if code else captured.out).strip().splitlines()
    assert line.startswith("error: ") == bool(code)
    return line


def test_what_is_appended_is_in_kafka_signed_and_verifies(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.copy() == world.registry.audit()
    line = verified(capsys)
    assert "Redis and Kafka: 8 records follow one another" in line
    assert line.endswith(f"signed by {world.key.signer} up to record 8")
    world.registry.log.append(*entries(1))
    assert "9 records follow one another" in (line := verified(capsys))
    assert "1 of them not yet in Kafka" in line
    assert run(["audit", "publish"]) == 0
    assert "1 records sent; Kafka has the audit up to record 9" in capsys.readouterr().out


def test_a_changed_record_in_redis_is_found(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    changed = msgspec.structs.replace(world.registry.audit()[4], actor="person X").canonical()
    world.client.lset(world.audit_key, 4, changed.decode())
    assert "audit record 5 in Redis was changed" in verified(capsys)


def test_a_record_removed_from_redis_is_found(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    text = world.client.lindex(world.audit_key, 3)
    world.client.lrem(world.audit_key, 1, text)  # type: ignore[arg-type]
    assert "audit record 4 is missing in Redis" in verified(capsys)


def test_a_cut_off_end_of_redis_is_found_in_kafka(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.client.ltrim(world.audit_key, 0, 5)
    assert "audit record 7 to 8 is missing in Redis: cut off, for Kafka has it" in verified(capsys)


def test_a_redis_that_was_rewritten_as_a_whole_is_found_in_kafka(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.rewrite(chained(None, [*entries(3), Entry("login", "eve", "a dream", "console"), *entries(4)], 5))
    assert "audit record 1 in Kafka is another than in Redis" in verified(capsys)


def test_redis_and_kafka_rewritten_together_are_found_by_a_kept_head_and_by_the_signature(
    world: World, make_topics: TopicFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["audit", "head"]) == 0
    head = capsys.readouterr().out.strip()
    assert "follow one another" in verified(capsys, "--anchor", head)
    forged = chained(None, [*entries(7), Entry("login", "eve", "a dream", "console")], 5)
    world.rewrite(forged)
    other = make_topics(only=[AUDIT])
    monkeypatch.setenv("FRAUDSTREAM_TOPIC_PREFIX", other.prefix)
    world.topics = other
    world.send(*forged)
    assert "audit record 8 in Redis has another hash than the anchor" in verified(capsys, "--anchor", head)
    assert "no head in Kafka is signed" in verified(capsys)


def test_a_record_put_into_kafka_is_found_and_nothing_more_is_published(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.send(*chained(world.registry.log.head(), [Entry("login", "eve", "a dream", "console")], 5))
    assert "audit record 9 is missing in Redis" in verified(capsys)
    world.registry.log.append(*entries(1))
    with pytest.raises(AuditError, match="Kafka's audit ends at record 9"):
        world.publisher().publish()


def test_a_forged_repeat_in_kafka_is_found(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    record = world.copy()[2]
    forged = chained(world.copy()[1], [Entry("login", "eve", "a dream", "console")], 5)[0]
    world.send(record)
    assert "8 records follow one another" in verified(capsys)
    world.send(forged)
    assert "audit record 3 stands twice in Kafka with different content" in verified(capsys)


def test_records_in_another_order_in_kafka_are_found(
    world: World, make_topics: TopicFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    records = world.copy()
    world.topics = make_topics(only=[AUDIT])
    monkeypatch.setenv("FRAUDSTREAM_TOPIC_PREFIX", world.topics.prefix)
    world.send(*records[:3], records[4], records[3], *records[5:])
    assert "audit record 4 in Kafka stands behind record 5, at offset 4: reordered" in verified(capsys)


def test_a_copy_that_lost_its_end_is_found_and_sent_again(
    world: World, make_topics: TopicFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first_five = world.copy()[:5]
    world.topics = make_topics(only=[AUDIT])
    monkeypatch.setenv("FRAUDSTREAM_TOPIC_PREFIX", world.topics.prefix)
    world.send(*first_five)
    assert "audit record 6 is missing in Kafka, which had acknowledged records up to 8" in verified(capsys)
    assert world.publisher().publish() == 3
    assert world.copy() == world.registry.audit()


def test_a_copy_without_its_beginning_is_found(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    admin = admin_client(world.broker)
    for future in admin.delete_records([TopicPartition(world.topics.audit, 0, 3)]).values():
        future.result()
    assert "audit record 1 to 3 is missing in Kafka" in verified(capsys)


def test_an_exported_file_verifies_without_redis_and_kafka_and_its_head_finds_a_cut_off_end(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    file = world.export()
    head = capsys.readouterr().out.strip().rpartition("head ")[2]
    for name in ("FRAUDSTREAM_BROKER", "FRAUDSTREAM_REDIS"):
        monkeypatch.delenv(name)
    assert "8 records follow one another" in verified(capsys, str(file), "--anchor", head)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-2]))
    assert "without --anchor a cut-off end would not be seen" in verified(capsys, str(file))
    assert "ends at audit record 6, the anchor is record 8" in verified(capsys, str(file), "--anchor", head)
    file.write_bytes(b"".join([*lines[:3], lines[4], lines[3], *lines[5:]]))
    assert f"audit record 5 in {file} stands before record 4: reordered" in verified(capsys, str(file))
    stranger = SigningKey.load_or_create(world.folder / "stranger.pem").publish(world.folder / "strangers").parent
    told = verified(capsys, str(file), "--anchor", head, "--allowed-signers", str(stranger))
    assert f"is signed by {world.key.signer}; allowed signers are" in told


def test_list_shows_what_is_asked_for(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.registry.log.append(Entry("review", "ada", "the card was in the holder's hand", "t-1", {"is_fraud": False}))
    capsys.readouterr()
    assert run(["audit", "list", "--kind", "review", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["sequence"], record["actor"], record["details"]) == (9, "ada", {"is_fraud": False})
    assert run(["audit", "list", "--since", "2999-01-01"]) == 0
    assert "no such record" in capsys.readouterr().out
    assert run(["audit", "list", "--actor", "person 3"]) == 0
    assert "person 3" in capsys.readouterr().out


def test_killed_anywhere_a_publisher_is_followed_by_one_that_leaves_out_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    for owner, method in ((AcknowledgedProducer, "settle"), (type(world.registry.log), "mark_published")):
        world.registry.log.append(*entries(1))
        with monkeypatch.context() as patch:
            patch.setattr(owner, method, killed)
            with pytest.raises(KilledError):
                world.publisher().publish()
        world.publisher().publish()
        assert world.copy() == world.registry.audit()
        assert world.registry.log.published == len(world.registry.audit())


def test_while_kafka_is_away_records_wait_in_redis(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = world.publisher()
    publisher.publish()

    def away(*_: object) -> None:
        raise DeliveryError("no answer")

    world.registry.log.append(*entries(1))
    with monkeypatch.context() as patch:
        patch.setattr(AcknowledgedProducer, "settle", away)
        with pytest.raises(DeliveryError):
            publisher.publish()
    assert world.registry.log.published == 8
    assert publisher.publish() <= 1
    assert world.copy() == world.registry.audit()


def test_two_publishers_at_once_give_readers_one_order(world: World) -> None:
    publishers = [world.publisher(), world.publisher()]
    for entry in entries(30):
        world.registry.log.append(entry)
        for publisher in publishers:
            publisher.publish()
    assert check_chain(world.copy()) == world.registry.log.head()


def test_an_event_that_is_told_twice_is_written_once(world: World) -> None:
    entry = Entry("gate-verdict", "retrain", "it passed", "m-1", event_id="e-1")
    assert world.registry.log.append(entry) == world.registry.log.append(entry)
    assert [record.kind for record in world.registry.audit()[8:]] == ["gate-verdict"]
