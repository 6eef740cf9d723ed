"""Where a command finds Kafka and Redis."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from models.schema.topics import TopicNames
from stream_app.commands.connection import (
    AddressMissingError,
    connection_options,
    redis_prefix_option,
    topic_prefix_option,
)
from stream_app.stack.state import StackState, StackStateError


@click.command()
@connection_options
@topic_prefix_option
@redis_prefix_option
def probe(broker: str, redis_url: str, topics: TopicNames, redis_prefix: str) -> None:
    click.echo(f"{broker} {redis_url} {topics.scores} {redis_prefix}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("BROKER", "REDIS", "TOPIC_PREFIX", "REDIS_PREFIX"):
        monkeypatch.delenv(f"FRAUDSTREAM_{name}", raising=False)
    monkeypatch.setenv("FRAUDSTREAM_DATA", str(tmp_path))
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(probe, arguments)


def write_state(folder: Path) -> None:
    StackState(
        broker="127.0.0.1:1",
        redis="redis://127.0.0.1:2/0",
        kafka_pid=1,
        kafka_started_at=0.0,
        redis_pid=1,
        redis_started_at=0.0,
    ).write(folder)


def test_the_local_stack_is_the_default(folder: Path) -> None:
    write_state(folder)
    assert invoke().output == "127.0.0.1:1 redis://127.0.0.1:2/0 scores fraudstream:\n"


def test_the_environment_comes_before_the_local_stack(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_state(folder)
    monkeypatch.setenv("FRAUDSTREAM_BROKER", "kafka:9092")
    monkeypatch.setenv("FRAUDSTREAM_TOPIC_PREFIX", "bank.")
    assert invoke().output == "kafka:9092 redis://127.0.0.1:2/0 bank.scores fraudstream:\n"


def test_an_option_comes_before_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_BROKER", "kafka:9092")
    result = invoke("--broker", "other:1", "--redis", "redis://r:2/0", "--redis-prefix", "p:")
    assert result.output == "other:1 redis://r:2/0 scores p:\n"


def test_no_address_at_all_is_said_with_the_remedies(folder: Path) -> None:
    result = invoke()
    assert isinstance(result.exception, AddressMissingError)
    assert str(result.exception).startswith(
        f"no broker address: no local stack is up in {folder}; run `fraudstream stack up`"
    )


def test_a_spoilt_state_file_is_named(folder: Path) -> None:
    (folder / "stack.json").write_text("{")
    result = invoke()
    assert isinstance(result.exception, StackStateError)
    assert "stack.json" in str(result.exception)
