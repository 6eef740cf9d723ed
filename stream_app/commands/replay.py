"""`fraudstream replay`: send the transactions of a Parquet or CSV file."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import click

from models.access.redis_access import redis_client
from models.schema.label import LabelSource
from models.schema.topics import TopicNames
from producers.column_mapping import MappingError, read_mapping
from producers.history import DAY_MS, History
from producers.kafka_client import Outbox
from producers.lockstep import Lockstep, moment
from producers.pace import EventsPerSecond, EventTimeSpeed, Pace, Unpaced
from producers.progress import progress_line
from producers.replay import LabelRule, Replay
from stream_app.commands.connection import broker_option, known_address, redis_prefix_option, topic_prefix_option
from stream_app.commands.signals import on_signals

INTERRUPTED: Final = 130


def _pairs(_context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        field, equals, value = text.partition("=")
        if not (field and equals and value):
            raise MappingError(f"{parameter.opts[0]} {text!r} is not FIELD=VALUE")
        pairs[field] = value
    return pairs


mapping_option = click.option(
    "--mapping", metavar="NAME|FILE", help="A ready mapping (handbook, truth) or a JSON file."
)
column_option = click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_pairs,
    metavar="FIELD=COLUMN",
    help="Take a field from a column; 'card_id=c{CUSTOMER_ID}' puts text around it. Goes before the mapping.",
)


@dataclass(frozen=True, slots=True)
class _LockstepOptions:
    redis_url: str | None
    redis_prefix: str
    patience_s: float

    def connect(self, outbox: Outbox, topics: TopicNames) -> Lockstep:
        url = known_address(self.redis_url, "redis")
        client = redis_client(url, socket_timeout=10, socket_connect_timeout=10)
        return Lockstep(outbox, client, self.redis_prefix, topics, patience_s=self.patience_s)


@click.command(name="replay")
@click.argument("file", type=click.Path(path_type=Path))
@mapping_option
@column_option
@click.option(
    "--constant",
    "constants",
    multiple=True,
    callback=_pairs,
    metavar="FIELD=VALUE",
    help="Give every row the same value.",
)
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Events per second; as fast as possible without."
)
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Event seconds per second.")
@click.option(
    "--from-day", type=click.IntRange(0), default=0, help="First day, counted from the file's first midnight."
)
@click.option("--to-day", type=click.IntRange(1), help="Day before which to stop.")
@click.option("--sort", "in_order", is_flag=True, help="Sort the file by event time first, in memory.")
@click.option("--skip-invalid", "skips_invalid", is_flag=True, help="Leave out rows that are no valid transaction.")
@click.option("--labels", "with_labels", is_flag=True, help="Send the file's frauds as labels, when they are due.")
@click.option("--label-delay-days", type=click.FloatRange(0), default=7.0, show_default=True)
@click.option("--label-source", type=click.Choice(get_args(LabelSource)), default="issuer_report", show_default=True)
@click.option(
    "--lockstep", "in_lockstep", is_flag=True, help="After each 6 event hours wait for every scorer's profiles."
)
@click.option("--lockstep-patience", type=click.FloatRange(1), default=60.0, show_default=True, metavar="SECONDS")
@broker_option
@click.option(
    "--redis", "redis_url", envvar="FRAUDSTREAM_REDIS", show_envvar=True, metavar="URL", help="For --lockstep."
)
@redis_prefix_option
@topic_prefix_option
@click.pass_context
def command(
    context: click.Context,
    file: Path,
    mapping: str | None,
    columns: dict[str, str],
    constants: dict[str, str],
    rate: float | None,
    speed: float | None,
    from_day: int,
    to_day: int | None,
    in_order: bool,
    skips_invalid: bool,
    with_labels: bool,
    label_delay_days: float,
    label_source: LabelSource,
    in_lockstep: bool,
    lockstep_patience: float,
    broker: str,
    redis_url: str | None,
    redis_prefix: str,
    topics: TopicNames,
) -> None:
    """Send the transactions of FILE (Parquet or CSV) to the topic transactions, in the file's order.

    Which column is which field: --mapping handbook, a JSON file {"columns": {FIELD: COLUMN}, "constants": {FIELD:
    VALUE}, "time_unit": "ms"}, or --column for each.
    """
    pace = _pace(rate, speed)
    columns_of = read_mapping(mapping, columns, constants)
    if with_labels:
        columns_of.require_labels()
    history = History(
        file, columns_of, from_day=from_day, to_day=to_day, in_order=in_order, skips_invalid=skips_invalid
    )
    names = [topics.transactions, *([topics.labels] if with_labels else []), *([topics.clock] if in_lockstep else [])]
    outbox = Outbox(broker, names, tracks_offsets=in_lockstep)
    lockstep = (
        _LockstepOptions(redis_url, redis_prefix, lockstep_patience).connect(outbox, topics) if in_lockstep else None
    )
    rule = LabelRule(round(label_delay_days * DAY_MS), label_source, history.start_ms) if with_labels else None
    replay = Replay(history, outbox, topics, pace=pace, labels=rule, lockstep=lockstep, ends_at=history.end_ms)
    _run(context, replay, history, outbox)


def _pace(rate: float | None, speed: float | None) -> Pace:
    if rate is not None and speed is not None:
        raise click.UsageError("give --rate or --speed, not both")
    if rate is not None:
        return EventsPerSecond(rate)
    return Unpaced() if speed is None else EventTimeSpeed(speed)


def _run(context: click.Context, replay: Replay, history: History, outbox: Outbox) -> None:
    started_s = time.monotonic()

    def progress(elapsed_s: float) -> str:
        of = f" of {history.rows:,} rows" if history.rows is not None else ""
        at = f", event time {moment(replay.event_time)}" if replay.event_time else ""
        return f"{replay.transactions:,} transactions{of}, {replay.transactions / elapsed_s:,.0f}/s{at}"

    try:
        with on_signals(lambda _: outbox.interrupt()), progress_line(progress):
            replay.run()
    except KeyboardInterrupt:
        click.echo(f"stopped: {outbox.give_up():,} records delivered, up to {moment(replay.event_time)}")
        context.exit(INTERRUPTED)
    elapsed_s = time.monotonic() - started_s
    parts = [
        f"{replay.transactions:,} transactions",
        f"{replay.labels:,} labels delivered in {elapsed_s:.1f} s",
        f"{replay.transactions / elapsed_s:,.0f} events/s",
        *([f"{replay.labels_waiting:,} labels not due yet"] if replay.labels_waiting else []),
        *([f"{history.skipped:,} invalid rows left out"] if history.skipped else []),
    ]
    click.echo(", ".join(parts))
