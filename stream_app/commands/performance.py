"""`fraudstream performance`: how well the models did, week by week, as a table and a picture."""

from pathlib import Path

import click
from rich.console import Console

from models.schema import wire
from models.schema.topics import TopicNames
from stream_app.commands.connection import broker_option, topic_prefix_option
from stream_app.performance.picture import draw
from stream_app.performance.reader import read_performance
from stream_app.performance.table import performance_table
from stream_app.performance.weeks import in_order, weeks

_NARROWEST = 122
"""Columns that the table takes; a narrower terminal wraps its lines, which reads better than cut figures."""


@click.command()
@broker_option
@topic_prefix_option
@click.option("--all", "every_revision", is_flag=True, help="Each revision of a week, not only the newest.")
@click.option("--model", "model_version", metavar="VERSION", help="Only the weeks of one model version.")
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Also draw them: FILE.svg or FILE.png."
)
@click.option("--json", "json_lines", is_flag=True, help="Print one record a line instead of the table.")
def command(
    broker: str,
    topics: TopicNames,
    every_revision: bool,
    model_version: str | None,
    picture: Path | None,
    json_lines: bool,
) -> None:
    """Show how well the models did, week by week of event time.

    A week appears when its last day is mature and is restated when later labels change it.
    """
    records = [
        record
        for record in read_performance(broker, topics.performance)
        if model_version in {None, record.model_version}
    ]
    shown = in_order(records) if every_revision else [week.newest for week in weeks(records)]
    if json_lines:
        for record in shown:
            click.echo(wire.encode(record).decode())
    elif shown:
        console = Console()
        console.width = max(console.width, _NARROWEST)
        console.print(performance_table(shown))
    else:
        click.echo("no week yet: the first one is published when its last day is mature")
    if picture is not None:
        draw(weeks(records), picture)
        click.echo(f"picture: {picture}", err=json_lines)
