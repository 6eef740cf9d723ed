"""`fraudstream simulate`: send the transactions of a simulated bank, with fraud on a timetable."""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from models.schema.topics import TopicNames
from producers.kafka_client import Outbox
from producers.pace import EventsPerSecond, EventTimeSpeed, Pace, Unpaced
from producers.progress import progress_line
from producers.simulator.playback import Playback
from producers.simulator.population import Population
from producers.simulator.script import BASE_MIX, ScriptError, TacticScript, parse_script, parse_tactic
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulated_day import SimulatedDay
from producers.simulator.simulation import LAST_DAY, Simulation
from producers.simulator.summary import TrafficSummary
from producers.simulator.tactics.catalogue import check_scripts
from producers.simulator.truth import TruthFile
from stream_app.commands.connection import known_address, topic_prefix_option
from stream_app.commands.signals import on_signals

SIGNAL_EXIT_CODE: Final = 128
"""A process that a signal ended exits with this plus the signal's number, as a shell has it."""
DRY_RUN_DAYS: Final = 7
POSITIVE: Final = click.FloatRange(min=0.0, min_open=True)


@click.command()
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same bytes.")
@click.option("--customers", type=int, default=10_000, show_default=True, help="Customers of the bank.")
@click.option("--terminals", type=int, help="Terminals in the world; a fifth of the customers by default.")
@click.option("--transactions-per-day", type=float, help="On an average day; two a customer by default.")
@click.option("--start-date", type=click.DateTime(["%Y-%m-%d"]), default="2025-01-01", help="Day 0; 2025-01-01.")
@click.option("--from-day", type=click.IntRange(0, LAST_DAY), default=0, show_default=True, help="First day to send.")
@click.option("--days", type=click.IntRange(min=1), help="How many days; without end by default.")
@click.option("--rate", type=POSITIVE, metavar="N", help="Send so many transactions a second.")
@click.option("--speed", type=POSITIVE, metavar="N", help="Send so many event seconds a second; 1 is real time.")
@click.option("--tactic", "tactics", multiple=True, metavar="KIND:FIELD=VALUE,...", help="Add fraud; may be repeated.")
@click.option("--script", type=click.Path(path_type=Path), help="JSON file with a timetable of fraud.")
@click.option("--no-base-mix", is_flag=True, help="Leave out the built-in fraud.")
@click.option("--labels", is_flag=True, help="Send labels too, late, as event time comes to them.")
@click.option("--truth", type=click.Path(path_type=Path), help="Write what was fraud to this Parquet file.")
@click.option("--dry-run", is_flag=True, help="Send nothing, print what would be sent.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON only.")
@click.option(
    "--broker",
    envvar="FRAUDSTREAM_BROKER",
    show_envvar=True,
    metavar="HOST:PORT",
    help="Kafka's address; by default that of the local stack.",
)
@topic_prefix_option
@click.pass_context
def command(
    context: click.Context,
    seed: int,
    customers: int,
    terminals: int | None,
    transactions_per_day: float | None,
    start_date: datetime,
    from_day: int,
    days: int | None,
    rate: float | None,
    speed: float | None,
    tactics: tuple[str, ...],
    script: Path | None,
    no_base_mix: bool,
    labels: bool,
    truth: Path | None,
    dry_run: bool,
    as_json: bool,
    broker: str | None,
    topics: TopicNames,
) -> None:
    """Send simulated transactions with scripted fraud.

    A tactic on the command line is one phase, as in --tactic triangulation:start_day=40,share=0.002; a script has
    as many as it likes. docs/simulator.md lists tactics, variants and fields.
    """
    pace = _pace(rate, speed)
    timetable = _timetable(script, tactics, base_mix=not no_base_mix)
    settings = PopulationSettings(
        customers=customers,
        terminals=max(100, customers // 5) if terminals is None else terminals,
        transactions_per_day=2.0 * customers if transactions_per_day is None else transactions_per_day,
        start_ms=int(start_date.replace(tzinfo=UTC).timestamp() * 1000),
    )
    address = "" if dry_run else known_address(broker, "broker")
    with Console(stderr=True).status("making customers and terminals"):
        simulation = Simulation(Population(settings, seed), timetable)
    if dry_run:
        _report(_dry_run(simulation, from_day, days), {}, as_json=as_json)
        return
    with ExitStack() as stack:
        outbox = Outbox(address, [topics.transactions, topics.labels] if labels else [topics.transactions])
        truth_file = None if truth is None else stack.enter_context(TruthFile(truth))
        playback = Playback(outbox, topics, pace, labels_seed=seed if labels else None, truth=truth_file)
        stack.enter_context(progress_line(lambda _elapsed_s: _progress(playback)))
        exit_code = _run(playback, outbox, (simulation.day(day) for day in _days(from_day, days)))
    _report(playback.sent, _result(playback), as_json=as_json)
    context.exit(exit_code)


def _dry_run(simulation: Simulation, from_day: int, days: int | None) -> TrafficSummary:
    summary = TrafficSummary()
    for day in simulation.days(from_day, days or DRY_RUN_DAYS):
        summary.add(day)
    return summary


def _run(playback: Playback, outbox: Outbox, days: Iterable[SimulatedDay]) -> int:
    """Send all days and return the exit code: 0, or that of the signal that ended it; a second one ends it at once."""
    received: list[int] = []

    def end(number: int) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        playback.stop()

    with on_signals(end):
        playback.run(days)
        outbox.flush()
    return SIGNAL_EXIT_CODE + received[0] if received else 0


def _progress(playback: Playback) -> str:
    sent = playback.sent
    return (
        f"{sent.transactions:,} transactions, {sent.transactions / max(playback.elapsed_s, 1e-9):,.0f}/s, event time "
        f"{_moment(sent.last_event_time)}, {sent.frauds:,} frauds, {playback.labels_sent:,} labels"
    )


def _days(first: int, days: int | None) -> range:
    return range(first, LAST_DAY + 1 if days is None else first + days)


def _pace(rate: float | None, speed: float | None) -> Pace:
    if rate is not None and speed is not None:
        raise click.UsageError("give --rate or --speed, not both")
    if rate is not None:
        return EventsPerSecond(rate)
    return Unpaced() if speed is None else EventTimeSpeed(speed)


def _timetable(script: Path | None, tactics: tuple[str, ...], *, base_mix: bool) -> tuple[TacticScript, ...]:
    """Return the base mix, then the script's tactics, then those of the command line."""
    timetable = [parse_tactic(text) for text in tactics]
    if script is not None:
        try:
            parsed = parse_script(script.read_bytes(), str(script))
        except OSError as error:
            raise ScriptError(f"cannot read the script {script}: {error.strerror}") from None
        timetable = [*parsed.tactics, *timetable]
        base_mix = base_mix and parsed.base_mix
    timetable = [*(BASE_MIX if base_mix else ()), *timetable]
    check_scripts(timetable)
    return tuple(timetable)


def _result(playback: Playback) -> dict[str, float]:
    elapsed_s = playback.elapsed_s
    return {
        "labels_sent": playback.labels_sent,
        "labels_waiting": playback.labels_waiting,
        "elapsed_s": round(elapsed_s, 3),
        "transactions_per_s": round(playback.sent.transactions / max(elapsed_s, 1e-9), 1),
    }


def _report(summary: TrafficSummary, rest: dict[str, float], *, as_json: bool) -> None:
    """Print the counts on stdout."""
    if as_json:
        click.echo(json.dumps({**summary.as_dict(), **rest}))
        return
    days = max(1, len(summary.days))
    title = f"{_moment(summary.first_event_time)} to {_moment(summary.last_event_time)}"
    table = Table(title=title, box=SIMPLE)
    table.add_column("tactic", no_wrap=True)
    for heading in ("count", "a day", "share", "first day", "last day"):
        table.add_column(heading, justify="right")
    for name, count in summary.counts.items():
        table.add_row(
            name,
            f"{count.transactions:,}",
            f"{count.transactions / days:,.1f}",
            f"{count.transactions / max(1, summary.transactions):.4%}",
            *("-" if day is None else str(day) for day in (count.first_day, count.last_day)),
        )
    Console().print(table)
    for name, value in rest.items():
        click.echo(f"{name.replace('_', ' ')}: {value:,}")


def _moment(event_time: int | None) -> str:
    return "-" if event_time is None else datetime.fromtimestamp(event_time / 1000, UTC).strftime("%Y-%m-%d %H:%M")
