"""`fraudstream watch`: keep the terminal profiles."""

import os
import secrets
import socket

import click
import redis

from models.errors import FraudstreamError
from models.schema.topics import TopicNames
from stream_app.checkpoints import CheckpointStore
from stream_app.commands.connection import connection_options, data_folder, redis_prefix_option, topic_prefix_option
from stream_app.faust_app import run_app, set_up_logging
from stream_app.topic_admin import describe_topics
from stream_app.watch.app import build_app
from stream_app.watch.settings import WatchSettings


class RedisUnreachableError(FraudstreamError):
    """Raised when no Redis answers at the address."""


@click.command()
@connection_options
@topic_prefix_option
@redis_prefix_option
@click.option(
    "--checkpoints", metavar="URL", show_envvar=True, help="Folder or object-store URL that all keepers share."
)
@click.option(
    "--web-port", type=click.IntRange(1, 65535), show_envvar=True, help="Port of /healthz, /readyz and /metrics."
)
@click.option(
    "--maturity-days",
    default=7.0,
    show_default=True,
    type=click.FloatRange(0, 365),
    help="Event days until a label counts.",
)
@click.option(
    "--idle-after",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds until a silent partition no longer holds the clock back.",
)
@click.option(
    "--lease",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.5),
    help="Seconds until another keeper takes over.",
)
@click.option(
    "--checkpoint-every",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds between checkpoints.",
)
def command(
    broker: str,
    redis_url: str,
    topics: TopicNames,
    redis_prefix: str,
    checkpoints: str | None,
    web_port: int | None,
    maturity_days: float,
    idle_after: float,
    lease: float,
    checkpoint_every: float,
) -> None:
    """Keep the terminal profiles from what was scored and what was labelled.

    Of several one is active, the others stand by.
    """
    settings = WatchSettings(
        broker=broker,
        redis_url=redis_url,
        checkpoint_url=checkpoints or str(data_folder() / "checkpoints"),
        keeper=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
        topics=topics,
        redis_prefix=redis_prefix,
        web_port=web_port,
        maturity_days=maturity_days,
        idle_after_s=idle_after,
        lease_s=lease,
        checkpoint_every_s=checkpoint_every,
    )
    _require_everything(settings)
    set_up_logging("INFO")
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    run_app(build_app(settings, folder))


def _require_everything(settings: WatchSettings) -> None:
    """Refuse with one line before anything starts."""
    describe_topics(settings.broker, [*settings.inputs, settings.topics.profiles, settings.topics.dead_letter])
    try:
        redis.Redis.from_url(settings.redis_url, socket_connect_timeout=5).ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise RedisUnreachableError(
            f"no Redis answers at {settings.redis_url} ({error}); "
            "start one with `fraudstream stack up`, or give its address with --redis"
        ) from error
    CheckpointStore(settings.checkpoint_url)
