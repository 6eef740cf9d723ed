"""`fraudstream stack`: start, stop and show a real Kafka and Redis on this machine."""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn, ParamSpec, TypeVar

import click
import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from models.schema.topics import DEFAULT_PARTITIONS, TopicNames
from stream_app.commands.connection import DEFAULT_DATA_FOLDER, broker_option, topic_prefix_option
from stream_app.stack.local_stack import LocalStack, delete_data, folder_lock, running_state
from stream_app.stack.server_process import ProcessIdentity, ServerError
from stream_app.stack.state import StackState
from stream_app.topic_admin import create_topics, describe_topics

P = ParamSpec("P")
R = TypeVar("R")

WATCH_S = 0.5


def data_option(function: Callable[P, R]) -> Callable[P, R]:
    """Add `--data`; the command receives `data: Path`."""
    return click.option(
        "--data",
        envvar="FRAUDSTREAM_DATA",
        show_envvar=True,
        default=DEFAULT_DATA_FOLDER,
        show_default=True,
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder for data, settings, logs and stack.json.",
    )(function)


def partitions_option(function: Callable[P, R]) -> Callable[P, R]:
    """Add `--partitions`; the command receives `partitions: int`."""
    return click.option(
        "--partitions",
        type=click.IntRange(1, 1000),
        default=DEFAULT_PARTITIONS,
        show_default=True,
        help="Partitions of transactions, scores, features, labels and dead-letter.",
    )(function)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON only.")
port_type = click.IntRange(1, 65535)


@click.group()
def command() -> None:
    """Start, stop and show a real Kafka and Redis on this machine."""


@command.command()
@data_option
@partitions_option
@click.option("--kafka-port", type=port_type, help="Where Kafka listens; a free port by default.")
@click.option("--redis-port", type=port_type, help="Where Redis listens; a free port by default.")
@click.option("--foreground", is_flag=True, help="Stay, and stop both at Ctrl-C.")
def up(data: Path, partitions: int, kafka_port: int | None, redis_port: int | None, foreground: bool) -> None:
    """Start Kafka and Redis, wait until both answer, and create the topics."""
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(stderr=True)
    with console.status("starting") as status, folder_lock(data):
        state = running_state(data)
        if state is not None:
            create_topics(state.broker, partitions=partitions)
            click.echo(f"already {_up_line(data, state)}")
            return
        stack = LocalStack(
            data, kafka_port=kafka_port, redis_port=redis_port, tethered=foreground, report=status.update
        )
        try:
            state = stack.up()
            status.update("creating topics")
            create_topics(state.broker, partitions=partitions)
        except BaseException:
            stack.down()
            raise
    if foreground:
        _stay(stack, state)
    else:
        click.echo(_up_line(data, state))


def _up_line(data: Path, state: StackState) -> str:
    return f"up in {data}: Kafka {state.broker}, Redis {state.redis}"


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _stay(stack: LocalStack, state: StackState) -> None:
    """Wait for Ctrl-C or for one of the two to end, then stop both."""
    servers = {
        "Kafka": ProcessIdentity(state.kafka_pid, state.kafka_started_at),
        "Redis": ProcessIdentity(state.redis_pid, state.redis_started_at),
    }
    try:
        click.echo(f"{_up_line(stack.data_folder, state)}; Ctrl-C stops both")
        while True:
            for name, identity in servers.items():
                if identity.running() is not None:
                    continue
                if StackState.read(stack.data_folder) is None:
                    click.echo("stopped by `fraudstream stack down`", err=True)
                    return
                raise ServerError(f"{name} ended by itself; its log is in {stack.data_folder / name.lower()}")
            time.sleep(WATCH_S)
    except KeyboardInterrupt:
        click.echo("stopping", err=True)
    finally:
        stack.down()


@command.command()
@data_option
@click.option("--delete", is_flag=True, help="Remove the data of both as well.")
def down(data: Path, delete: bool) -> None:
    """Stop Kafka and Redis; the data stays unless --delete is given."""
    if not data.is_dir():
        click.echo(f"nothing is up in {data}")
        return
    with Console(stderr=True).status("stopping"), folder_lock(data):
        was_up = running_state(data) is not None
        LocalStack(data).down()
        if delete:
            delete_data(data)
    click.echo(f"{'stopped' if was_up else 'nothing is up'} in {data}{'; data deleted' if delete else ''}")


class ServerStatus(msgspec.Struct, frozen=True):
    """One line of `fraudstream stack status`."""

    name: str
    address: str
    pid: int
    up: bool
    memory_mb: int
    up_s: int


@command.command()
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """Show what is up; exit code 1 when it is not all of it."""
    state = StackState.read(data)
    servers = [] if state is None else server_statuses(state, time.time())
    up_now = bool(servers) and all(server.up for server in servers)
    if as_json:
        click.echo(msgspec.json.encode({"data": str(data), "up": up_now, "servers": servers}))
    elif not servers:
        click.echo(f"nothing is up in {data}; start it with `fraudstream stack up`")
    else:
        Console().print(_status_table(servers))
    if not up_now:
        sys.exit(1)


def server_statuses(state: StackState, now_s: float) -> list[ServerStatus]:
    """Return how each server of the stack is."""
    rows = (
        ("Kafka", state.broker, ProcessIdentity(state.kafka_pid, state.kafka_started_at)),
        ("Redis", state.redis, ProcessIdentity(state.redis_pid, state.redis_started_at)),
    )
    return [_server_status(name, address, identity, now_s) for name, address, identity in rows]


def _server_status(name: str, address: str, identity: ProcessIdentity, now_s: float) -> ServerStatus:
    process = identity.running()
    try:
        memory = process.memory_info().rss if process else 0
    except psutil.NoSuchProcess:
        process, memory = None, 0
    up_s = max(0, int(now_s - identity.started_at)) if process else 0
    return ServerStatus(name, address, identity.pid, process is not None, memory // 2**20, up_s)


def _status_table(servers: list[ServerStatus]) -> Table:
    table = Table("server", "address", "pid", "state", "memory MB", "up s")
    for one in servers:
        table.add_row(
            one.name, one.address, str(one.pid), "up" if one.up else "DOWN", str(one.memory_mb), str(one.up_s)
        )
    return table


@command.command()
@broker_option
@topic_prefix_option
@partitions_option
@json_option
def topics(broker: str, topics: TopicNames, partitions: int, as_json: bool) -> None:
    """Create the topics that a broker does not have yet, and list them all with their settings."""
    created = set(create_topics(broker, topics, partitions))
    described = describe_topics(broker, topics.all())
    if as_json:
        click.echo(msgspec.json.encode({"created": sorted(created), "topics": described}))
        return
    table = Table("topic", "partitions", "retention days", "clean-up", "created")
    for name, one in described.items():
        retention = "for ever" if one.retention_ms < 0 else f"{one.retention_ms / 86_400_000:g}"
        table.add_row(name, str(one.partitions), retention, one.cleanup_policy, "now" if name in created else "before")
    Console().print(table)
