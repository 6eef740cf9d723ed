"""`fraudstream label`: send fraud labels that arrive late."""

from pathlib import Path

import click

from models.schema.topics import TopicNames
from producers.column_mapping import read_mapping
from producers.kafka_client import Outbox
from producers.label_delays import LabelDelays
from producers.labels import parse_sources, read_labels
from producers.late_labels import LateLabels
from producers.progress import progress_line
from producers.transaction_clock import TransactionClock
from stream_app.commands.connection import broker_option, topic_prefix_option
from stream_app.commands.replay import INTERRUPTED, column_option, mapping_option
from stream_app.commands.signals import on_signals


@click.command(name="label")
@click.argument("file", type=click.Path(path_type=Path))
@mapping_option
@column_option
@click.option(
    "--delay",
    "delays",
    multiple=True,
    metavar="SOURCE=DELAY",
    help="How late a source reports: chargeback=30d..120d, or analyst=8h for exactly that.",
)
@click.option(
    "--share", "shares", multiple=True, metavar="SOURCE=SHARE", help="Share of the frauds that a source reports."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same labels.")
@click.option("--now", "at_once", is_flag=True, help="Send all labels at once, also those of the event clock's future.")
@click.option(
    "--finish-when-idle",
    "idle_s",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="End when no transaction has come for so long; without, wait until every label is due.",
)
@broker_option
@topic_prefix_option
@click.pass_context
def command(
    context: click.Context,
    file: Path,
    mapping: str | None,
    columns: dict[str, str],
    delays: tuple[str, ...],
    shares: tuple[str, ...],
    seed: int,
    at_once: bool,
    idle_s: float | None,
    broker: str,
    topics: TopicNames,
) -> None:
    """Send a label for each fraud in FILE when the event time of the topic transactions has reached it.

    FILE is the truth that `fraudstream simulate` writes (the default mapping), or any Parquet or CSV with --mapping.
    """
    sources = parse_sources(delays, shares)
    name = mapping or (None if columns else "truth")
    labels = read_labels(file, read_mapping(name, columns, {}), LabelDelays(seed, sources))
    outbox = Outbox(broker, [topics.labels, *([] if at_once else [topics.transactions])])
    late = LateLabels(labels, outbox, topics)

    def progress(_elapsed_s: float) -> str:
        return f"{late.sent:,} labels sent, {late.waiting:,} not due yet"

    try:
        with on_signals(lambda _: outbox.interrupt()), progress_line(progress):
            _send(late, outbox, broker, topics, at_once=at_once, idle_s=idle_s)
    except KeyboardInterrupt:
        click.echo(f"stopped: {outbox.give_up():,} labels delivered, {late.waiting:,} not due yet")
        context.exit(INTERRUPTED)
    click.echo(f"{late.sent:,} labels delivered, {late.waiting:,} not due yet")


def _send(
    late: LateLabels, outbox: Outbox, broker: str, topics: TopicNames, *, at_once: bool, idle_s: float | None
) -> None:
    if at_once:
        late.send_all()
        outbox.flush()
        return
    with TransactionClock(broker, topics.transactions) as clock:
        late.follow(clock, idle_s)
