"""The life of a local stack by its commands, in a folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition

from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import describe_topics

PROGRAM = [sys.executable, "-c", "from stream_app.cli import main; main()", "stack"]


class Commands:
    """Runs `fraudstream stack` on one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *arguments, "--data", str(self.data)]
        return subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
        )

    def state(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.data / "stack.json").read_text())
        return loaded


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    running = Commands(tmp_path / "data")
    yield running
    if running.data.exists():
        LocalStack(running.data).down()


def produce(broker: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": broker})
    producer.produce("labels", value, partition=0)
    assert producer.flush(20) == 0


def first_value(broker: str) -> bytes:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "reader", "enable.auto.commit": False})
    consumer.assign([TopicPartition("labels", 0, 0)])
    message = consumer.poll(20)
    consumer.close()
    assert message is not None
    value = message.value()
    assert isinstance(value, bytes)
    return value


def test_a_stack_outlives_its_command_and_keeps_its_data_until_it_is_deleted(commands: Commands) -> None:
    up = commands("up", "--partitions", "2")
    assert up.returncode == 0, up.stderr
    first = commands.state()
    assert describe_topics(first["broker"], ["scores"])["scores"].partitions == 2
    produce(first["broker"], b"kept")
    with redis.Redis.from_url(first["redis"]) as client:
        client.set("kept", "yes")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}

    again = commands("up", "--partitions", "2")
    assert again.returncode == 0
    assert again.stdout.startswith("already up")
    assert commands.state() == first

    shown = json.loads(commands("status", "--json").stdout)
    assert shown["up"] is True
    assert [server["address"] for server in shown["servers"]] == [first["broker"], first["redis"]]

    # Whether it ended in order or not, `up` clears away what is left and starts again with the data.
    psutil.Process(first["kafka_pid"]).kill()
    assert json.loads(commands("status", "--json").stdout)["up"] is False
    assert commands("up", "--partitions", "2").returncode == 0
    second = commands.state()
    assert not psutil.pid_exists(first["redis_pid"])
    assert first_value(second["broker"]) == b"kept"
    with redis.Redis.from_url(second["redis"]) as client:
        assert client.get("kept") == b"yes"

    down = commands("down")
    assert down.returncode == 0
    assert down.stdout.startswith("stopped")
    assert not psutil.pid_exists(second["kafka_pid"])
    assert not psutil.pid_exists(second["redis_pid"])
    assert commands("status").returncode == 1
    assert commands("down", "--delete").returncode == 0
    assert sorted(path.name for path in commands.data.iterdir()) == ["stack.lock"]


def test_a_stack_in_the_foreground_stops_at_ctrl_c(commands: Commands) -> None:
    arguments = [*PROGRAM, "up", "--foreground", "--data", str(commands.data)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as foreground:
        assert foreground.stdout is not None
        assert foreground.stdout.readline().startswith("up in ")
        state = commands.state()
        foreground.send_signal(signal.SIGINT)
        assert foreground.wait(60) == 0
    assert not psutil.pid_exists(state["kafka_pid"])
    assert not psutil.pid_exists(state["redis_pid"])
    assert not (commands.data / "stack.json").exists()


@pytest.mark.parametrize("option", ["--kafka-port", "--redis-port"])
def test_a_taken_port_is_named_and_nothing_is_left_running(commands: Commands, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        up = commands("up", option, port)
    assert up.returncode == 2
    assert up.stderr.strip().splitlines()[-1].startswith(f"error: port {port} on 127.0.0.1 cannot be used")
    assert option in up.stderr
    assert not list(commands.data.glob("*/process.json"))
    assert not (commands.data / "stack.json").exists()


def test_a_wrong_java_is_named_and_nothing_is_left_running(commands: Commands, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    up = commands("up", JAVA_HOME=str(tmp_path))
    assert up.returncode == 2
    assert "is Java 11; Kafka needs Java 17 or newer" in up.stderr
    assert not list(commands.data.glob("*/process.json"))


def test_down_where_nothing_is_up_says_so(commands: Commands) -> None:
    down = commands("down")
    assert down.returncode == 0
    assert down.stdout.startswith("nothing is up")
