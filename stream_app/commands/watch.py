"""`fraudstream watch`: keep the terminal profiles, measure the models, look for drift."""

import os
import secrets
import socket
from collections.abc import Mapping
from datetime import date, datetime

import click

from models.access.redis_access import require_redis
from models.features.feature_set import WARM_UP_DAYS
from models.schema.topics import TopicNames
from stream_app.access.kafka_requirement import require_access
from stream_app.checkpoints import CheckpointStore
from stream_app.commands.archive_options import archive_option, archive_url, storage_option
from stream_app.commands.connection import connection_options, data_folder, redis_prefix_option, topic_prefix_option
from stream_app.commands.page_options import web_host_option
from stream_app.commands.telemetry_options import Telemetry, telemetry_options
from stream_app.faust_app import run_app
from stream_app.watch.app import build_app
from stream_app.watch.settings import WatchSettings

_EPOCH = date(1970, 1, 1)


@click.command()
@connection_options
@topic_prefix_option
@redis_prefix_option
@click.option(
    "--checkpoints", metavar="URL", show_envvar=True, help="Folder or object-store URL that all watchers share."
)
@web_host_option
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
@archive_option
@storage_option
@click.option(
    "--without-history", is_flag=True, help="Keep profiles only: measure nothing, look for no drift, need no archive."
)
@click.option(
    "--history-from",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    show_envvar=True,
    help="First event day that is measured and tested for drift. By default the archive's first; drift is then looked "
    f"for {WARM_UP_DAYS} days later, for windows that are still filling look like drift.",
)
@click.option(
    "--retrain-every-days",
    type=click.IntRange(1),
    show_envvar=True,
    help="Ask for a retrain once in so many event days, drift or not; never by default.",
)
@telemetry_options
def command(
    telemetry: Telemetry,
    broker: str,
    redis_url: str,
    topics: TopicNames,
    redis_prefix: str,
    checkpoints: str | None,
    web_host: str,
    web_port: int | None,
    maturity_days: float,
    idle_after: float,
    lease: float,
    checkpoint_every: float,
    archive: str | None,
    storage_options: Mapping[str, str],
    without_history: bool,
    history_from: datetime | None,
    retrain_every_days: int | None,
) -> None:
    """Keep the terminal profiles; measure the models and look for drift as `fraudstream archive` commits.

    Of several one is active, the others stand by.
    """
    settings = WatchSettings(
        broker=broker,
        redis_url=redis_url,
        checkpoint_url=checkpoints or str(data_folder() / "checkpoints"),
        keeper=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
        topics=topics,
        redis_prefix=redis_prefix,
        web_host=web_host,
        web_port=web_port,
        maturity_days=maturity_days,
        idle_after_s=idle_after,
        lease_s=lease,
        checkpoint_every_s=checkpoint_every,
        archive_url=None if without_history else archive_url(archive),
        storage_options=storage_options,
        history_from_day=None if history_from is None else (history_from.date() - _EPOCH).days,
        retrain_every_days=retrain_every_days,
    )
    telemetry.begin("watch")
    _require_everything(settings)
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    run_app(build_app(settings, folder))


def _require_everything(settings: WatchSettings) -> None:
    """Refuse with one line before anything starts."""
    topics = settings.topics
    needed = [*settings.inputs, topics.profiles, topics.dead_letter]
    if settings.archive_url is not None:
        needed += [topics.archive_commits, topics.performance, topics.drift_events]
        needed += [topics.drift_statistics, topics.retrain_requests]
    require_access(settings.broker, "watch", topics, needed)
    require_redis(settings.redis_url)
    CheckpointStore(settings.checkpoint_url)
