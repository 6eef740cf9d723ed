"""The registry on a real Redis."""

import itertools
import json
import threading
import time

import msgspec
import pytest
import redis

from models.access.redis_access import RedisAccessError
from models.alias import Alias
from models.audit.chain import check_chain
from models.bundle import Bundle, BundleError
from models.registry import CHALLENGER, CHAMPION, PREVIOUS, Registry, RegistryError
from models.release.placement import Placement
from models.signing import AllowedSigners, SigningKey
from tests.unit.models.small_model import made_bundle


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> SigningKey:
    return SigningKey.load_or_create(tmp_path_factory.mktemp("keys") / "key.pem")


@pytest.fixture(scope="module")
def bundles(key) -> list[Bundle]:
    return [made_bundle(key, created_at=number) for number in (3, 1, 2)]


@pytest.fixture
def registry(stack, redis_prefix) -> Registry:
    clock = itertools.count(1000)
    return Registry(stack.redis_url, redis_prefix, now=lambda: next(clock))


@pytest.fixture
def versions(registry, bundles) -> list[str]:
    return [registry.put(bundle) for bundle in bundles]


def test_what_is_put_comes_back_and_verifies(registry, versions, bundles, key):
    found = registry.get(versions[0])
    assert found == bundles[0]
    assert found.verify(AllowedSigners.of([key.public_key])).version == versions[0]


def test_putting_the_same_bundle_again_changes_nothing(registry, versions, bundles):
    assert registry.put(bundles[0]) == versions[0]
    assert len(registry.manifests()) == 3


def test_versions_are_listed_by_their_age(registry, versions):
    assert [manifest.created_at for manifest in registry.manifests()] == [1, 2, 3]


def test_other_bytes_under_a_stored_version_are_refused(registry, versions, bundles):
    forged = Bundle(bundles[0].manifest_bytes, b"another graph", bundles[0].signature, bundles[0].signer)
    with pytest.raises(RegistryError, match="bundles are immutable"):
        registry.put(forged)
    assert registry.get(versions[0]) == bundles[0]


def test_a_bundle_damaged_in_redis_does_not_verify(registry, versions, key, redis_client, redis_prefix):
    redis_client.hset(f"{redis_prefix}bundle:{versions[0]}", "onnx", b"damaged")
    with pytest.raises(BundleError, match="truncated or altered"):
        registry.get(versions[0]).verify(AllowedSigners.of([key.public_key]))


def test_an_unknown_version_is_named(registry, versions):
    with pytest.raises(RegistryError, match="no model 'm-nothing'"):
        registry.get("m-nothing")
    with pytest.raises(RegistryError, match="no model 'm-nothing'"):
        registry.promote("m-nothing", "ada", "try")
    assert registry.aliases() == {}


def test_an_alias_that_was_never_moved_is_none(registry):
    assert registry.alias(CHAMPION) is None


def test_a_promotion_keeps_the_champion_before_it_as_previous(registry, versions):
    registry.promote(versions[0], "ada", "first")
    second = registry.promote(versions[1], "bob", "better")
    assert second == Alias(CHAMPION, versions[1], 3, "bob", "better", second.at)
    assert registry.alias(PREVIOUS).version == versions[0]
    assert registry.alias(CHAMPION) == second


def test_the_champion_is_not_promoted_again(registry, versions):
    registry.promote(versions[0], "ada", "first")
    with pytest.raises(RegistryError, match="is the champion already, since move 1"):
        registry.promote(versions[0], "ada", "again")


def test_a_rollback_swaps_champion_and_previous_and_a_second_one_undoes_it(registry, versions):
    for version in versions[:2]:
        registry.promote(version, "ada", "promote")
    assert registry.rollback("bob", "too many alerts").version == versions[0]
    assert registry.alias(PREVIOUS).version == versions[1]
    assert registry.rollback("bob", "it was the data").version == versions[1]


def test_a_rollback_without_a_previous_champion_is_refused(registry, versions):
    with pytest.raises(RegistryError, match="no previous champion to roll back to"):
        registry.rollback("ada", "why")
    registry.promote(versions[0], "ada", "first")
    with pytest.raises(RegistryError, match="no previous champion to roll back to"):
        registry.rollback("ada", "why")


def test_a_move_that_expects_another_sequence_is_refused(registry, versions):
    registry.move(CHALLENGER, versions[0], "ada", "try", expected_sequence=0)
    with pytest.raises(RegistryError, match="challenger is at move 1, not 0"):
        registry.move(CHALLENGER, versions[1], "bob", "try", expected_sequence=0)
    assert registry.move(CHALLENGER, versions[1], "bob", "try", expected_sequence=1).sequence == 2


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), ("ada", "")])
def test_a_move_without_actor_or_reason_is_refused(registry, versions, actor, reason):
    with pytest.raises(RegistryError, match="needs an actor and a reason"):
        registry.promote(versions[0], actor, reason)


def test_of_many_that_expect_the_same_sequence_exactly_one_moves(registry, versions, stack, redis_prefix):
    registry.promote(versions[0], "ada", "first")
    outcomes: list[str] = []

    def race(number: int) -> None:
        try:
            mine = Registry(stack.redis_url, redis_prefix)
            mine.promote(versions[1], f"racer {number}", "race", expected_sequence=1)
            outcomes.append("moved")
        except RegistryError:
            outcomes.append("refused")

    threads = [threading.Thread(target=race, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["moved"] + ["refused"] * 5
    assert registry.alias(CHAMPION).sequence == 3


def test_moves_at_the_same_time_all_happen_and_their_records_hang_together(registry, versions, stack, redis_prefix):
    def move(number: int) -> None:
        mine = Registry(stack.redis_url, redis_prefix)
        for _ in range(5):
            mine.move(CHALLENGER, versions[number % 3], f"mover {number}", "often")

    threads = [threading.Thread(target=move, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = registry.audit()
    check_chain(records)
    assert [record.sequence for record in records] == list(range(1, 21))
    assert registry.alias(CHALLENGER).sequence == 20


def test_the_history_of_an_alias_says_who_moved_it_from_where_and_why(registry, versions):
    registry.promote(versions[0], "ada", "first")
    registry.promote(versions[1], "bob", "better")
    registry.rollback("eve", "worse")
    told = [(each.action, each.before, each.version, each.actor, each.reason) for each in registry.history(CHAMPION)]
    assert told == [
        ("promote", None, versions[0], "ada", "first"),
        ("promote", versions[0], versions[1], "bob", "better"),
        ("rollback", versions[1], versions[0], "eve", "worse"),
    ]
    check_chain(registry.audit())


def test_every_move_is_announced(registry, versions, redis_client):
    listener = redis_client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(registry.channel)
    listener.get_message(timeout=5)
    registry.promote(versions[0], "ada", "first")
    registry.promote(versions[1], "ada", "second")
    heard: list[Alias] = []
    deadline = time.monotonic() + 10
    while len(heard) < 3 and time.monotonic() < deadline:
        message = listener.get_message(timeout=1)
        heard += [msgspec.json.decode(message["data"], type=Alias)] if message else []
    listener.close()
    assert [(alias.name, alias.version, alias.sequence) for alias in heard] == [
        (CHAMPION, versions[0], 1),
        (PREVIOUS, versions[0], 2),
        (CHAMPION, versions[1], 3),
    ]


def test_a_placement_is_kept_announced_and_never_replaced_by_an_older_one(registry, versions, redis_client):
    assert registry.placement() == Placement()
    subscription = redis_client.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(registry.channel)
    subscription.get_message(timeout=1)
    later = Placement(sequence=2, shadow=(versions[0],), canary=versions[1], canary_share=0.1, salt="r1")
    registry.place(later, "release", "try")
    assert msgspec.json.decode(subscription.get_message(timeout=5)["data"], type=Placement) == later
    with pytest.raises(RegistryError, match="placement 2 comes too late"):
        registry.place(Placement(sequence=2), "release", "try")
    with pytest.raises(RegistryError, match="no model 'm-none'"):
        registry.place(Placement(sequence=3, shadow=("m-none",)), "release", "try")
    assert registry.placement() == later


def test_an_unreachable_redis_is_named_with_the_remedy():
    with pytest.raises(RegistryError, match=r"no Redis at redis://127\.0\.0\.1:1/0 .*fraudstream stack up"):
        Registry("redis://127.0.0.1:1/0").aliases()


def test_an_address_that_is_none_is_refused():
    with pytest.raises(RedisAccessError, match="'localhost' is no Redis address"):
        Registry("localhost")


def test_a_command_that_redis_refuses_is_reported(registry, redis_client, redis_prefix):
    redis_client.set(f"{redis_prefix}aliases", "not a hash")
    with pytest.raises(RegistryError, match="refused hgetall"):
        registry.aliases()


def test_aliases_are_plain_json_for_other_readers(registry, versions, redis_client: redis.Redis, redis_prefix):
    registry.promote(versions[0], "ada", "first")
    stored = redis_client.hget(f"{redis_prefix}aliases", CHAMPION)
    assert stored is not None
    assert json.loads(stored)["version"] == versions[0]
