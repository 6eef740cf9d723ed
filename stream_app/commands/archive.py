"""`fraudstream archive`: keep everything that was seen, scored and labelled in Delta tables."""

import asyncio
import os
import secrets
import socket
from collections.abc import Mapping
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from models.access.redis_access import require_redis
from models.schema.topics import TopicNames
from stream_app.archive.history import ArchivedHistory
from stream_app.archive.outbox import Outbox
from stream_app.archive.run import ArchiveProcess
from stream_app.archive.scored_view import day_text
from stream_app.archive.settings import ArchiveSettings
from stream_app.archive.tables import TABLES
from stream_app.commands.archive_options import archive_option, archive_url, storage_option
from stream_app.commands.connection import (
    AddressMissingError,
    known_address,
    redis_prefix_option,
    topic_prefix_option,
)
from stream_app.commands.page_options import web_host_option
from stream_app.commands.telemetry_options import Telemetry, telemetry_options
from stream_app.faust_app import keep_heap
from stream_app.topic_admin import describe_topics


@click.command()
@click.option(
    "--broker",
    envvar="FRAUDSTREAM_BROKER",
    show_envvar=True,
    metavar="HOST:PORT",
    help="Kafka's address; by default that of the local stack.",
)
@click.option(
    "--redis",
    "redis_url",
    envvar="FRAUDSTREAM_REDIS",
    show_envvar=True,
    metavar="URL",
    help="Redis' address, as redis://HOST:PORT/0; by default that of the local stack.",
)
@topic_prefix_option
@redis_prefix_option
@archive_option
@storage_option
@click.option("--show", is_flag=True, help="Print what the tables hold, and end.")
@click.option(
    "--commit-every", default=30.0, show_default=True, type=click.FloatRange(0.1), help="Seconds between commits."
)
@click.option(
    "--commit-rows",
    default=500_000,
    show_default=True,
    type=click.IntRange(1),
    help="Rows that are committed without waiting.",
)
@click.option(
    "--idle-after",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds until a silent partition no longer holds the watermark back.",
)
@click.option(
    "--lease",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.5),
    help="Seconds until another archiver takes over.",
)
@click.option(
    "--small-files",
    default=16,
    show_default=True,
    type=click.IntRange(1),
    help="Small files of a closed event day that are left alone.",
)
@click.option(
    "--keep-versions-days",
    default=30,
    show_default=True,
    type=click.IntRange(1),
    help="Days for which an announced version can be read.",
)
@click.option("--accept-loss", is_flag=True, help="Go on behind records that the topics no longer have.")
@web_host_option
@click.option(
    "--web-port", type=click.IntRange(1, 65535), show_envvar=True, help="Port of /healthz, /readyz and /metrics."
)
@telemetry_options
def command(
    telemetry: Telemetry,
    broker: str | None,
    redis_url: str | None,
    topics: TopicNames,
    redis_prefix: str,
    archive: str | None,
    storage_options: Mapping[str, str],
    show: bool,
    commit_every: float,
    commit_rows: int,
    idle_after: float,
    lease: float,
    small_files: int,
    keep_versions_days: int,
    accept_loss: bool,
    web_host: str,
    web_port: int | None,
) -> None:
    """Keep transactions, scores, features and labels in Delta tables, each Kafka offset exactly once.

    Of several one is active, the others stand by.
    """
    base = archive_url(archive)
    if show:
        _print(base, storage_options, broker, topics)
        return
    settings = ArchiveSettings(
        broker=known_address(broker, "broker"),
        redis_url=known_address(redis_url, "redis"),
        url=base,
        archiver=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
        storage_options=storage_options,
        topics=topics,
        redis_prefix=redis_prefix,
        web_host=web_host,
        web_port=web_port,
        commit_every_s=commit_every,
        commit_rows=commit_rows,
        idle_after_s=idle_after,
        lease_s=lease,
        small_files=small_files,
        keep_versions_days=keep_versions_days,
        accept_loss=accept_loss,
    )
    telemetry.begin("archive")
    _require_everything(settings)
    keep_heap()
    asyncio.run(ArchiveProcess(settings).run())


def _require_everything(settings: ArchiveSettings) -> None:
    """Refuse with one line before anything starts."""
    topics = settings.topics
    others = [topics.clock, topics.dead_letter, topics.archive_commits]
    describe_topics(settings.broker, [topics.of(name) for name in TABLES] + others)
    require_redis(settings.redis_url)


def _print(base: str, storage_options: Mapping[str, str], broker: str | None, topics: TopicNames) -> None:
    with ArchivedHistory(base, storage_options=storage_options) as history:
        table = Table("table", "version", "rows", "event days", title=base)
        for name in TABLES:
            days = history.days(name)
            held = f"{len(days)}: {day_text(days[0])} to {day_text(days[-1])}" if days else "none"
            table.add_row(name, str(history.versions[name]), f"{history.count(name):,}", held)
    Console().print(table)
    click.echo(f"watermark: {_watermark(broker, topics)}")


def _watermark(broker: str | None, topics: TopicNames) -> str:
    """The last one announced; the tables can be shown without a broker, then it is not known."""
    try:
        address = known_address(broker, "broker")
    except AddressMissingError:
        return "not known without a broker (--broker)"
    describe_topics(address, [topics.archive_commits])
    last = Outbox(address, topics).last_announcement()
    if last is None or not last.watermark:
        return "none yet"
    return datetime.fromtimestamp(last.watermark / 1000, UTC).isoformat(timespec="minutes")
