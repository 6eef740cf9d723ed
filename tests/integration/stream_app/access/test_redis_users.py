"""Each role of Redis can do its work and nothing of another's, on a server with the delivered users."""

import asyncio
import secrets
from collections.abc import Iterator

import pytest
import redis

from models.access.redis_access import RELEASER, RedisAccessError, async_redis_client, redis_client, require_redis
from models.registry import CHALLENGER, CHAMPION, Registry, RegistryError
from models.release.placement import Placement
from models.release.state import ReleaseState
from stream_app.access.fresh_secrets import make_secrets
from stream_app.access.redis_users import redis_rules
from stream_app.chaos.tiny_models import TinyModels
from stream_app.console.review.claims import Claims
from stream_app.lease import Lease
from stream_app.retrain.job import RetrainState
from stream_app.retrain.release.release_state import ReleaseStore
from stream_app.retrain.retrain_store import RetrainStore
from stream_app.retrain.state_store import StateError
from stream_app.worker_status import workers_key
from tests.support.guarded_redis import GuardedRedis
from tests.support.tls_door import TlsDoor

PREFIX = "bank:"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis]:
    passwords = {user: secrets.token_urlsafe(12) for user in redis_rules(PREFIX)}
    with GuardedRedis(tmp_path_factory.mktemp("redis"), passwords, PREFIX) as running:
        yield running


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    return TinyModels(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def versions(server: GuardedRedis, models: TinyModels) -> list[str]:
    """Two versions that the retrainer has put, the first of them champion by an operator."""
    retrainer = Registry(server.url_of("retrain"), PREFIX)
    put = [retrainer.put(bundle) for bundle in (models.first, models.second)]
    operator = Registry(server.url_of("operator"), PREFIX)
    if operator.alias(CHAMPION) is None:
        operator.promote(put[0], "ada", "first")
    return put


def hold_and_free(url: str, name: str) -> int:
    async def hold() -> int:
        client = async_redis_client(url)
        lease = Lease(client, PREFIX + name, "holder", 5.0)
        assert await lease.acquire()
        await lease.renew()
        await lease.release()
        await client.aclose()
        return lease.epoch

    return asyncio.run(hold())


def test_a_scorer_reads_models_tells_its_state_and_hears_moves(server, versions):
    registry = Registry(server.url_of("score"), PREFIX)
    champion = registry.aliases()[CHAMPION]
    assert registry.get(champion.version).version == versions[0]
    assert registry.placement() is not None
    with redis_client(server.url_of("score")) as client:
        client.hset(workers_key(PREFIX), "me", "{}")
        client.hdel(workers_key(PREFIX), "me")
        subscription = client.pubsub()
        subscription.subscribe(registry.channel)
        assert subscription.get_message(timeout=5)["type"] == "subscribe"
        subscription.close()


@pytest.mark.parametrize("user", ["score", "watch", "archive", "retrain", "viewer"])
def test_nobody_but_the_releaser_and_people_moves_an_alias(server, versions, user):
    before = Registry(server.url_of("viewer"), PREFIX).aliases()
    registry = Registry(server.url_of(user), PREFIX)
    with pytest.raises(RegistryError, match=f"does not allow user {user}"):
        registry.promote(versions[1], "mallory", "why not")
    with redis_client(server.url_of(user)) as client:
        for command, *arguments in (
            ("hset", f"{PREFIX}aliases", CHAMPION, "{}"),
            ("set", f"{PREFIX}placement", "{}"),
            ("set", f"{PREFIX}release", "{}"),
            ("lset", f"{PREFIX}audit", 0, "{}"),
            ("ltrim", f"{PREFIX}audit", 0, 0),
            ("del", f"{PREFIX}audit"),
            ("set", f"{PREFIX}approvals", "{}"),
            ("del", f"{PREFIX}aliases"),
            ("del", f"{PREFIX}bundle:{versions[0]}"),
            ("publish", f"{PREFIX}alias-moves", "{}"),
            ("flushall",),
            ("config", "get", "*"),
            ("client", "list"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(command, *arguments)
    assert Registry(server.url_of("viewer"), PREFIX).aliases() == before


def test_a_scorer_adds_no_model(server, models):
    with pytest.raises(RegistryError, match="does not allow user score"):
        Registry(server.url_of("score"), PREFIX).put(models.first)


def test_a_retrainer_keeps_its_state_and_its_lease(server, versions):
    store = RetrainStore(server.url_of("retrain"), PREFIX)
    state = store.read()
    assert store.write(state).revision == state.revision + 1
    assert store.report("none") is None
    assert store.outcome("none") is None
    assert RetrainState() is not None
    assert hold_and_free(server.url_of("retrain"), "retrainer")


def test_a_retrainer_cannot_let_itself_be_released(server):
    store = ReleaseStore(server.url_of("retrain"), PREFIX)
    with pytest.raises(StateError, match="does not allow user retrain"):
        store.write(store.read())


def test_the_releaser_moves_aliases_places_models_and_keeps_its_state(server, versions):
    registry = Registry(server.url_of("releaser"), PREFIX)
    champion = registry.aliases()[CHAMPION]
    registry.move(CHALLENGER, versions[1], "release", "shadow", automatic=True)
    registry.place(Placement(sequence=registry.placement().sequence + 1, shadow=(versions[1],)), "release", "shadow")
    registry.promote(versions[1], "release", "better", champion.sequence, automatic=True)
    registry.rollback("release", "worse", automatic=True)
    assert registry.history(CHAMPION)[-1].version == versions[0]
    assert registry.manifest(versions[1]) is not None
    store = ReleaseStore(server.url_of("releaser"), PREFIX)
    assert isinstance(store.write(store.read()), ReleaseState)
    assert hold_and_free(server.url_of("releaser"), "release-loop")


def test_the_releaser_adds_no_model(server, models):
    with pytest.raises(RegistryError, match="does not allow user releaser"):
        Registry(server.url_of("releaser"), PREFIX).put(models.first)


@pytest.mark.parametrize(
    ("user", "lease"), [("watch", "profile-keeper"), ("watch", "history-watch"), ("archive", "archive")]
)
def test_the_watch_and_the_archive_hold_their_leases(server, user, lease):
    first = hold_and_free(server.url_of(user), lease)
    assert hold_and_free(server.url_of(user), lease) == first + 1


def test_the_watch_looks_up_models(server, versions):
    registry = Registry(server.url_of("watch"), PREFIX)
    assert {manifest.version for manifest in registry.manifests()} >= set(versions)


def test_people_add_promote_roll_back_and_read_everything(server, versions, models):
    registry = Registry(server.url_of("operator"), PREFIX)
    assert registry.put(models.first) == versions[0]
    registry.promote(versions[1], "ada", "by hand")
    registry.rollback("ada", "by hand")
    assert RetrainStore(server.url_of("operator"), PREFIX).read() is not None
    store = ReleaseStore(server.url_of("operator"), PREFIX)
    assert store.write(store.read()) is not None


def test_people_claim_what_they_review(server):
    with redis_client(server.url_of("operator")) as client:
        claims = Claims(client, PREFIX)
        assert claims.take("t1", "ada") == "ada"
        assert claims.holders(["t1"]) == {"t1": "ada"}
        claims.free("t1", "ada", decided=True)


def test_a_stranger_and_a_wrong_password_are_refused_on_one_line_without_the_password(server, monkeypatch):
    for user, password in (("nobody", "s3cret-word"), ("score", "s3cret-word")):
        monkeypatch.setenv("FRAUDSTREAM_REDIS_USERNAME", user)
        monkeypatch.setenv("FRAUDSTREAM_REDIS_PASSWORD", password)
        with pytest.raises(
            RedisAccessError, match=f"refuses user {user} .*check FRAUDSTREAM_REDIS_USERNAME"
        ) as refused:
            require_redis(server.url)
        assert "s3cret-word" not in str(refused.value)
        assert "\n" not in str(refused.value)
        with pytest.raises(RegistryError, match=f"refuses user {user}"):
            Registry(server.url, PREFIX).aliases()


def test_without_a_user_nothing_is_answered(server):
    with pytest.raises(RedisAccessError, match="refuses user default"):
        require_redis(server.url)


def test_the_release_loop_has_an_identity_of_its_own_in_the_retrainers_process(server, tmp_path, monkeypatch):
    secret = tmp_path / "releaser"
    secret.write_text(server.passwords["releaser"] + "\n")
    monkeypatch.setenv("FRAUDSTREAM_REDIS_USERNAME", "retrain")
    monkeypatch.setenv("FRAUDSTREAM_REDIS_PASSWORD", server.passwords["retrain"])
    with redis_client(server.url, RELEASER) as shared:
        assert shared.ping()
        assert shared.connection_pool.connection_kwargs["username"] == "retrain"
    monkeypatch.setenv("FRAUDSTREAM_REDIS_RELEASER_USERNAME", "releaser")
    monkeypatch.setenv("FRAUDSTREAM_REDIS_RELEASER_PASSWORD", f"file:{secret}")
    with redis_client(server.url, RELEASER) as own, redis_client(server.url) as process:
        assert own.ping()
        assert process.ping()
        assert own.connection_pool.connection_kwargs["username"] == "releaser"
        assert process.connection_pool.connection_kwargs["username"] == "retrain"


def test_over_tls_a_server_is_trusted_by_its_authority_alone(server, versions, tmp_path, monkeypatch):
    for name in ("own", "other"):
        make_secrets(tmp_path / name, [], ["redis-server"], ["127.0.0.1"])
    own = tmp_path / "own"
    monkeypatch.setenv("FRAUDSTREAM_REDIS_USERNAME", "score")
    monkeypatch.setenv("FRAUDSTREAM_REDIS_PASSWORD", server.passwords["score"])
    monkeypatch.setenv("FRAUDSTREAM_REDIS_CA_FILE", str(own / "ca.pem"))
    with TlsDoor(server.port, own / "redis-server.crt", own / "redis-server.key") as door:
        url = f"rediss://127.0.0.1:{door.port}/0"
        with redis_client(url) as client:
            assert Registry(client, PREFIX).alias(CHAMPION) is not None

        async def hears() -> bool:
            client = async_redis_client(url)
            answered = await client.ping()
            await client.aclose()
            return bool(answered)

        assert asyncio.run(hears())
        monkeypatch.setenv("FRAUDSTREAM_REDIS_CA_FILE", str(tmp_path / "other" / "ca.pem"))
        with pytest.raises(RedisAccessError, match="certificate verify failed"):
            require_redis(url)
