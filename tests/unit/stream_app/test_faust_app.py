"""How a process says why it ends."""

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from redis.exceptions import ConnectionError as RedisSilentError
from redis.exceptions import NoPermissionError

from stream_app.faust_app import access_refusal


def test_a_right_that_was_taken_away_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_SASL_USERNAME", "score")
    kafka = access_refusal(TopicAuthorizationFailedError("scores"))
    assert kafka is not None
    assert "Kafka refuses user score" in kafka
    assert "`fraudstream access kafka`" in kafka
    redis = access_refusal(NoPermissionError("no permissions to run the 'hset' command"))
    assert redis is not None
    assert "`fraudstream access redis`" in redis


@pytest.mark.parametrize("error", [KafkaConnectionError("gone"), RedisSilentError("gone"), ValueError("none")])
def test_silence_and_mistakes_are_no_refusals(error: Exception) -> None:
    assert access_refusal(error) is None
