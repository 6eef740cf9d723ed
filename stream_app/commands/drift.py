"""`fraudstream drift`: what the watch has found, in plain language; test the battery; ask for a retrain."""

from contextlib import suppress

import click
import msgspec

from models.schema.topics import TopicNames
from stream_app.commands.connection import known_address, topic_prefix_option
from stream_app.drift.story import story
from stream_app.drift.stream import DriftStream, Told
from stream_app.lazy_group import CommandEntry, LazyGroup

_COLOURS = {"ALARM": "red", "WARNING": "yellow", "RECOVERY": "green", "RETRAIN": "cyan"}
_SUBCOMMANDS = {
    "request": CommandEntry("stream_app.commands.drift_request", "Ask for a retrain.", "request_command"),
    "backtest": CommandEntry(
        "stream_app.commands.drift_backtest", "Run the drift tests over a labelled table.", "backtest_command"
    ),
    "power": CommandEntry(
        "stream_app.commands.drift_power", "Measure on simulated banks what the drift tests find.", "power_command"
    ),
}


@click.group(cls=LazyGroup, entries=_SUBCOMMANDS, invoke_without_command=True)
@click.option(
    "--broker",
    envvar="FRAUDSTREAM_BROKER",
    show_envvar=True,
    metavar="HOST:PORT",
    help="Kafka's address; by default that of the local stack.",
)
@topic_prefix_option
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--statistics", is_flag=True, help="Also what was computed of each day, beyond a limit or not.")
@click.option("--json", "json_lines", is_flag=True, help="Print one event a line instead of sentences.")
@click.pass_context
def command(
    context: click.Context, broker: str | None, topics: TopicNames, follow: bool, statistics: bool, json_lines: bool
) -> None:
    """Say what moved, since when, how far, and what was asked for because of it.

    Without a subcommand: warnings, alarms, recoveries and retrain requests from the beginning.
    """
    if context.invoked_subcommand is not None:
        return
    with DriftStream(known_address(broker, "broker"), topics, statistics=statistics) as stream:
        past = stream.past()
        for told in past:
            _tell(told, json_lines=json_lines)
        if follow:
            with suppress(KeyboardInterrupt):
                for told in stream.to_come():
                    _tell(told, json_lines=json_lines)
        elif not past and not json_lines:
            click.echo("nothing was found so far")


def _tell(told: Told, *, json_lines: bool) -> None:
    if json_lines:
        click.echo(_json_line(told))
        return
    for line in story(told.record):
        level = line.split()[1] if not line.startswith(" ") else ""
        click.echo(click.style(line, fg=_COLOURS[level]) if level in _COLOURS else line)


def _json_line(told: Told) -> str:
    context = told.context
    line = {
        "id": context.id,
        "type": context.type,
        "correlation_id": context.correlation_id,
        "causation_id": context.causation_id,
        **msgspec.to_builtins(told.record),
    }
    return msgspec.json.encode(line).decode()
