"""Redis is lost: the registry comes back from the kept models and Kafka's audit."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import redis

from models.audit.anchor import Anchor
from models.audit.chain import Entry, check_chain
from models.bundle import Bundle
from models.proposal import ApprovalError
from models.registry import CHALLENGER, CHAMPION, PREVIOUS, Registry
from models.release.placement import Placement
from models.schema.audit_record import AuditRecord
from models.schema.model_event import ModelEvent
from models.schema.topics import AUDIT, MODEL_EVENTS, TopicNames
from models.scorer import LoadedModel
from models.signing import AllowedSigners, SigningKey
from stream_app.audit.publisher import AuditPublisher
from stream_app.cli import run
from stream_app.lease import PROFILE_KEEPER, epoch_key
from stream_app.model_store import ModelStore
from stream_app.recovery import back_up
from stream_app.retrain.release.announcer import Announcer
from stream_app.retrain.release.release_state import ReleaseStore
from stream_app.retrain.safekeeping import Safekeeping
from stream_app.stack.local_stack import LocalStack
from tests.integration.conftest import TopicFactory
from tests.support.command_environment import set_environment
from tests.unit.models.small_model import made_bundle


@dataclass
class World:
    """A registry with a past: four models, promotions, a roll-back by the release loop, a canary under way."""

    broker: str
    redis_url: str
    topics: TopicNames
    prefix: str
    client: redis.Redis
    key: SigningKey
    folder: Path
    bundles: list[Bundle]

    def __post_init__(self) -> None:
        self.registry = Registry(self.redis_url, self.prefix)
        self.versions = [self.registry.put(bundle) for bundle in self.bundles]
        first, second, third = self.versions
        self.registry.promote(first, "ada", "first")
        self.registry.require_approvals("ada", "four eyes")
        self.registry.propose(second, "ada", "better")
        self.registry.approve(second, "bob")
        self.registry.move(CHALLENGER, third, "release", "passed the gate", automatic=True)
        self.registry.place(Placement(sequence=4, canary=third, canary_share=0.1), "release", "try it")
        self.last_event = self._announce_freeze()
        self.publisher = AuditPublisher(self.broker, self.topics, self.registry.log, self.key)

    def _announce_freeze(self) -> ModelEvent:
        event = ModelEvent(
            kind="frozen", version=self.versions[1], before=None, checks=(), as_of=0, release="r7", incident=None,
            cause="m-x was rolled back: latency; fraudstream models unfreeze lifts it", request_id=None,
            actor="release", sequence=31,
        ).sealed("ab")  # fmt: skip
        Announcer(self.broker, self.topics, self.registry.log).publish(event)
        return event

    @property
    def store(self) -> ModelStore:
        return ModelStore.in_archive(str(self.folder / "archive"))

    def keep(self) -> None:
        """What `fraudstream retrain` does beside its work."""
        Safekeeping(self.registry, self.publisher, lambda: self.store, sleep=lambda _: None).turn()

    def lose_redis(self) -> None:
        """Everything under the prefix is gone, as after FLUSHALL; other tests share the server."""
        for name in list(self.client.scan_iter(f"{self.prefix}*")):
            self.client.delete(name)
        assert self.registry.aliases() == {}

    def restore(self, *arguments: str) -> int:
        return run(["models", "restore", "--actor", "ops", "--reason", "the disk of Redis broke", *arguments])


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[SigningKey, list[Bundle]]:
    key = SigningKey.load_or_create(tmp_path_factory.mktemp("keys") / "key.pem")
    return key, [made_bundle(key, created_at=number) for number in (1, 2, 3)]


@pytest.fixture
def world(
    stack: LocalStack,
    make_topics: TopicFactory,
    redis_prefix: str,
    redis_client: "redis.Redis",
    tmp_path: Path,
    signed: tuple[SigningKey, list[Bundle]],
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    key, bundles = signed
    topics = make_topics(only=[AUDIT, MODEL_EVENTS])
    key.publish(tmp_path / "allowed-signers")
    set_environment(monkeypatch, tmp_path, stack, topics, redis_prefix)
    return World(stack.broker, stack.redis_url, topics, redis_prefix, redis_client, key, tmp_path, bundles)


def test_a_lost_registry_comes_back_with_its_models_aliases_audit_and_rules(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.keep()
    aliases, records = world.registry.aliases(), world.registry.audit()
    world.lose_redis()
    assert world.restore() == 0
    assert "3 models and" in capsys.readouterr().out
    assert world.registry.aliases() == aliases
    restored = world.registry.audit()
    assert restored[: len(records)] == records
    assert [record.kind for record in restored[len(records) :]] == ["restore", "placement"]
    assert restored[len(records)].actor == "ops"
    check_chain(restored)
    assert world.registry.placement() == Placement(sequence=5)
    with pytest.raises(ApprovalError):
        world.registry.promote(world.versions[2], "ada", "alone")
    assert sorted(world.registry.versions()) == sorted(world.versions)
    assert run(["models", "verify"]) == 0
    allowed = AllowedSigners.of([world.key.public_key])
    assert LoadedModel.load(world.registry.get(world.versions[1]), allowed).version == world.versions[1]


def test_after_a_restore_the_audit_goes_on_in_kafka_and_everything_verifies(world: World) -> None:
    world.keep()
    world.lose_redis()
    assert world.restore() == 0
    world.registry.rollback("ada", "still worse")
    world.keep()
    assert run(["audit", "verify"]) == 0
    assert world.registry.alias(CHAMPION).version == world.versions[0]  # type: ignore[union-attr]
    assert world.registry.alias(PREVIOUS).version == world.versions[1]  # type: ignore[union-attr]


def test_the_release_loop_goes_on_behind_its_last_event_frozen_and_with_nothing_under_way(world: World) -> None:
    world.keep()
    world.lose_redis()
    assert world.restore() == 0
    state = ReleaseStore(world.redis_url, world.prefix).read()
    champion = world.registry.alias(CHAMPION)
    assert champion is not None
    assert (state.stage, state.sequence, state.last_hash) == ("idle", 31, world.last_event.hash)
    assert state.frozen == "m-x was rolled back: latency"
    assert (state.champion, state.champion_sequence) == (champion.version, champion.sequence)


def test_profile_keepers_are_numbered_above_every_one_before(world: World) -> None:
    world.client.set(world.prefix + epoch_key(PROFILE_KEEPER), 12)
    world.keep()
    world.lose_redis()
    assert world.restore() == 0
    assert int(world.client.get(world.prefix + epoch_key(PROFILE_KEEPER)) or 0) > 1_000_000_000


def test_until_it_is_restored_nothing_is_published_on_a_lost_registry(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.keep()
    world.lose_redis()
    world.registry.log.append(Entry("login", "ada", "key", "console"))
    capsys.readouterr()
    assert run(["audit", "publish"]) == 2
    assert "fraudstream models restore rebuilds it" in capsys.readouterr().err
    assert world.restore() == 2
    assert "set its audit aside with --set-aside" in capsys.readouterr().err
    assert world.restore("--set-aside") == 0
    assert f"{world.prefix}audit-aside-" in capsys.readouterr().out
    assert world.registry.alias(CHAMPION) is not None


def test_a_registry_that_is_not_lost_is_not_overwritten(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.keep()
    records = world.registry.audit()
    assert world.restore() == 2
    assert "it is not lost" in capsys.readouterr().err
    assert world.registry.audit() == records


def test_without_kafka_an_exported_audit_and_its_head_restore_the_same(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "backup"]) == 0
    file = world.folder / "audit.jsonl"
    assert run(["audit", "export", str(file)]) == 0
    head = capsys.readouterr().out.strip().rpartition("head ")[2]
    aliases = world.registry.aliases()
    world.lose_redis()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    assert world.restore("--audit", str(file), "--anchor", head) == 2
    assert "its end is cut off" in capsys.readouterr().err
    file.write_bytes(b"".join(lines))
    assert world.restore("--audit", str(file), "--anchor", head) == 0
    assert world.registry.aliases() == aliases


def test_a_kept_model_that_was_tampered_with_is_not_put_back(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.keep()
    world.lose_redis()
    first, second, _ = world.versions
    models = world.folder / "archive" / "models"
    graph = bytearray((models / first / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (models / first / "model.onnx").write_bytes(bytes(graph))
    assert world.restore() == 0
    told = capsys.readouterr().out
    assert f"{first} is not put back: " in told
    assert f"alias {PREVIOUS} points nowhere" in told
    assert set(world.registry.versions()) == set(world.versions) - {first}
    assert PREVIOUS not in world.registry.aliases()
    world.lose_redis()
    (models / second / "signature").write_bytes(b"x" * 64)
    assert world.restore() == 2
    assert f"the champion {second} was not put back" in capsys.readouterr().err
    assert world.registry.aliases() == {}


def test_a_copy_in_kafka_that_somebody_else_signed_restores_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = SigningKey.generate()
    AuditPublisher(world.broker, world.topics, world.registry.log, stranger).publish()
    back_up(world.registry, world.store)
    world.lose_redis()
    assert world.restore() == 2
    assert f"is signed by {stranger.signer}; allowed signers are" in capsys.readouterr().err
    assert world.registry.aliases() == {}


def test_a_folder_that_is_not_whole_is_written_again_and_a_whole_one_never(world: World) -> None:
    assert sorted(back_up(world.registry, world.store)) == sorted(world.versions)
    assert back_up(world.registry, world.store) == []
    first = world.versions[0]
    assert world.store.get(first) == world.bundles[0]
    changed = dataclasses.replace(world.bundles[0], signature=b"y" * 64)
    assert not world.store.put(changed)
    assert world.store.get(first) == world.bundles[0]


def test_killed_while_models_are_put_back_a_restore_can_be_run_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def killed(*_: object) -> list[AuditRecord]:
        raise KilledError

    world.keep()
    aliases = world.registry.aliases()
    world.lose_redis()
    with monkeypatch.context() as patch:
        patch.setattr(Registry, "restore", killed)
        with pytest.raises(KilledError):
            world.restore()
    assert world.restore() == 0
    assert world.registry.aliases() == aliases
    assert Anchor.of(world.registry.audit()[-1]).sequence == len(world.registry.audit())


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("aliases", "alias challenger is nothing in the registry"),
        ("placement", "placed without a record"),
        ("approvals", "two-person approval is off in the registry and on in the audit: switched without a record"),
    ],
)
def test_what_is_changed_in_redis_past_the_registry_is_found(
    world: World, capsys: pytest.CaptureFixture[str], key: str, told: str
) -> None:
    world.keep()
    assert run(["audit", "verify"]) == 0
    world.client.delete(world.prefix + key)
    for command in ("audit", "models"):
        assert run([command, "verify"]) == 2
        assert told in capsys.readouterr().err


def test_an_alias_that_is_pointed_elsewhere_past_the_registry_is_found(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.keep()
    champion = world.registry.alias(CHAMPION)
    assert champion is not None
    forged = msgspec.structs.replace(champion, version=world.versions[2])
    world.client.hset(world.prefix + "aliases", CHAMPION, msgspec.json.encode(forged))
    assert run(["audit", "verify"]) == 2
    assert f"alias champion is {world.versions[2]}" in capsys.readouterr().err
