"""Redis' address, identity and errors: secrets come from the environment or files and are shown to nobody."""

from pathlib import Path

import pytest
import redis

from models.access.redis_access import (
    RELEASER,
    RedisAccessError,
    RedisIdentity,
    address_of,
    failure,
    redis_client,
    shown,
)
from models.access.secret import SecretError

URL = "redis://10.0.0.9:6379/0"


def settings_of(client: redis.Redis) -> dict[str, object]:
    settings = client.connection_pool.connection_kwargs
    return {name: settings.get(name) for name in ("host", "port", "db", "username", "password")}


def test_the_environment_replaces_who_the_address_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = "redis://me:mine@10.0.0.9:6379/2?password=mine"
    assert settings_of(redis_client(url))["username"] == "me"
    (tmp_path / "password").write_text("s3cret\n")
    monkeypatch.setenv("FRAUDSTREAM_REDIS_USERNAME", "score")
    monkeypatch.setenv("FRAUDSTREAM_REDIS_PASSWORD", f"file:{tmp_path / 'password'}")
    expected = {"host": "10.0.0.9", "port": 6379, "db": 2, "username": "score", "password": "s3cret"}
    assert settings_of(redis_client(url)) == expected


def test_a_role_without_an_identity_of_its_own_has_the_processes() -> None:
    process = {"FRAUDSTREAM_REDIS_USERNAME": "retrain", "FRAUDSTREAM_REDIS_PASSWORD": "a"}
    own = {"FRAUDSTREAM_REDIS_RELEASER_USERNAME": "releaser", "FRAUDSTREAM_REDIS_RELEASER_PASSWORD": "b"}
    assert RedisIdentity.read(RELEASER, process) == RedisIdentity("retrain", "a")
    assert RedisIdentity.read(RELEASER, process | own) == RedisIdentity("releaser", "b")
    assert RedisIdentity.read(None, process | own) == RedisIdentity("retrain", "a")
    assert RedisIdentity.read(None, {}) == RedisIdentity()


def test_half_an_identity_and_a_missing_file_are_refused() -> None:
    with pytest.raises(RedisAccessError, match="FRAUDSTREAM_REDIS_USERNAME is set and FRAUDSTREAM_REDIS_PASSWORD is"):
        RedisIdentity.read(None, {"FRAUDSTREAM_REDIS_USERNAME": "score"})
    with pytest.raises(SecretError, match="FRAUDSTREAM_REDIS_PASSWORD names the file /nowhere"):
        RedisIdentity.read(None, {"FRAUDSTREAM_REDIS_PASSWORD": "file:/nowhere"})


def test_no_password_is_shown() -> None:
    url = "rediss://score:s3cret@10.0.0.9:6380/0?password=s3cret"
    client = redis_client(url)
    texts = [shown(url), address_of(client), repr(RedisIdentity("score", "s3cret"))]
    texts += [failure(error, client) for error in (redis.ConnectionError("x"), redis.AuthenticationError("WRONGPASS"))]
    texts += [failure(error, client) for error in (redis.exceptions.NoPermissionError("y"), redis.ResponseError("z"))]
    assert not [text for text in texts if "s3cret" in text or "\n" in text]
    assert address_of(client) == "rediss://10.0.0.9:6380/0"
    with pytest.raises(RedisAccessError, match=r"'http://score:\*\*\*@10.0.0.9' is no Redis address") as refused:
        redis_client("http://score:s3cret@10.0.0.9")
    assert "s3cret" not in str(refused.value)


def test_files_for_tls_need_an_address_with_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_REDIS_CA_FILE", "/run/secrets/ca.pem")
    with pytest.raises(RedisAccessError, match="write rediss://"):
        redis_client(URL)
