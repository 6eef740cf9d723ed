"""Which broker and which Redis a command talks to: option, environment, or the running local stack."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import click

from models.errors import FraudstreamError
from models.schema.topics import TopicNames
from stream_app.stack.state import StackState

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_DATA_FOLDER: Final = ".fraudstream"
DEFAULT_REDIS_PREFIX: Final = "fraudstream:"


class AddressMissingError(FraudstreamError):
    """Raised when a command is told no address and no local stack is up."""


def data_folder() -> Path:
    """Return the data folder that the environment names, else `.fraudstream` here."""
    return Path(os.environ.get("FRAUDSTREAM_DATA") or DEFAULT_DATA_FOLDER)


def _default_broker(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    return _address(context, value, "broker")


def _default_redis(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    return _address(context, value, "redis")


def _address(context: click.Context, given: str | None, kind: str) -> str | None:
    return given if context.resilient_parsing else known_address(given, kind)


def known_address(given: str | None, kind: str) -> str:
    """Return the address given, else that of the running local stack; `kind` is "broker" or "redis"."""
    if given:
        return given
    folder = data_folder()
    state = StackState.read(folder)
    if state is None:
        raise AddressMissingError(
            f"no {kind} address: no local stack is up in {folder}; run `fraudstream stack up`, "
            f"or give --{kind}, or set FRAUDSTREAM_{kind.upper()}"
        )
    return state.broker if kind == "broker" else state.redis


def broker_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--broker`; the command receives `broker: str`."""
    return click.option(
        "--broker",
        envvar="FRAUDSTREAM_BROKER",
        show_envvar=True,
        callback=_default_broker,
        metavar="HOST:PORT",
        help="Kafka's address; by default that of the local stack.",
    )(command)


def redis_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--redis`; the command receives `redis_url: str`."""
    return click.option(
        "--redis",
        "redis_url",
        envvar="FRAUDSTREAM_REDIS",
        show_envvar=True,
        callback=_default_redis,
        metavar="URL",
        help="Redis' address, as redis://HOST:PORT/0; by default that of the local stack.",
    )(command)


def connection_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--broker` and `--redis`; the command receives `broker: str` and `redis_url: str`."""
    return broker_option(redis_option(command))


def _topic_names(_context: click.Context, _parameter: click.Parameter, value: str) -> TopicNames:
    return TopicNames(value)


def topic_prefix_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--topic-prefix`; the command receives `topics: TopicNames`."""
    return click.option(
        "--topic-prefix",
        "topics",
        envvar="FRAUDSTREAM_TOPIC_PREFIX",
        show_envvar=True,
        default="",
        callback=_topic_names,
        metavar="TEXT",
        help="What the names of all topics begin with; nothing by default.",
    )(command)


def redis_prefix_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--redis-prefix`; the command receives `redis_prefix: str`."""
    return click.option(
        "--redis-prefix",
        envvar="FRAUDSTREAM_REDIS_PREFIX",
        show_envvar=True,
        default=DEFAULT_REDIS_PREFIX,
        show_default=True,
        metavar="TEXT",
        help="What all keys in Redis begin with.",
    )(command)
