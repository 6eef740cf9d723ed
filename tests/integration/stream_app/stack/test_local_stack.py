"""Kafka and Redis as a context manager, and one by one."""

from pathlib import Path

import psutil
import pytest
import redis

from stream_app.stack.local_stack import LocalStack, StackUpError, running_state
from stream_app.stack.redis_server import LocalRedis
from stream_app.topic_admin import require_broker


def test_the_run_s_stack_answers(stack: LocalStack) -> None:
    require_broker(stack.broker)
    with redis.Redis.from_url(stack.redis_url) as client:
        assert client.ping()


def test_a_second_stack_in_the_same_folder_is_refused_and_the_first_goes_on(stack: LocalStack) -> None:
    with pytest.raises(StackUpError, match="a stack is up in"), LocalStack(stack.data_folder):
        pass
    require_broker(stack.broker)


def test_both_stop_when_the_block_ends_by_an_exception(tmp_path: Path) -> None:
    class BodyError(Exception):
        pass

    def body() -> None:
        with LocalStack(tmp_path) as own:
            state = running_state(own.data_folder)
            assert state is not None
            pids.extend([state.kafka_pid, state.redis_pid])
            raise BodyError

    pids: list[int] = []
    with pytest.raises(BodyError):
        body()
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert running_state(tmp_path) is None


def test_a_killed_redis_comes_back_on_its_port_with_its_data(tmp_path: Path) -> None:
    server = LocalRedis(tmp_path)
    server.start()
    try:
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", "yes")
            server.kill()
            with pytest.raises(redis.ConnectionError):
                client.ping()
            server.start()
            assert client.get("kept") == b"yes"
    finally:
        server.stop()
    assert server.process.identity() is None
