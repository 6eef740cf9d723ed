"""`fraudstream demo`: show the whole system on this machine in a few minutes."""

import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from models.schema.topics import TopicNames
from stream_app.commands.connection import DEFAULT_REDIS_PREFIX
from stream_app.commands.models_train import code_commit
from stream_app.commands.run_folder import run_folder
from stream_app.commands.signals import on_signals
from stream_app.demo.narrator import Narrator
from stream_app.demo.picture import draw
from stream_app.demo.plan import DemoPlan
from stream_app.demo.report import DemoResult, require_place
from stream_app.demo.staying import Staying
from stream_app.demo.story import Demo
from stream_app.stack.local_stack import LocalStack
from stream_app.worker_processes import Connections

LOST_OR_DUPLICATED_EXIT_CODE = 1
TERMINATED_EXIT_CODE = 128 + signal.SIGTERM
_PLAN = DemoPlan()


@click.command()
@click.option(
    "--rate",
    default=_PLAN.rate,
    show_default=True,
    type=click.FloatRange(1),
    help="Events a second while latency is measured.",
)
@click.option(
    "--events",
    default=_PLAN.events,
    show_default=True,
    type=click.IntRange(1000),
    help="Events sent at that rate while a new tactic begins and is found.",
)
@click.option(
    "--burst",
    default=_PLAN.burst,
    show_default=True,
    type=click.IntRange(1000),
    help="Events sent at full speed afterwards.",
)
@click.option("--seed", default=_PLAN.seed, show_default=True, type=click.IntRange(0), help="Same seed, same events.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Keep Kafka's and Redis' data and the logs here; a temporary folder by default.",
)
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default="demo-report.json",
    show_default=True,
    help="Where the closing table goes as JSON.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON instead of the table.")
@click.option("--broker", metavar="HOST:PORT", help="A Kafka to use instead of a temporary one; needs --redis.")
@click.option("--redis", "redis_url", metavar="URL", help="A Redis to use instead of a temporary one; needs --broker.")
@click.option(
    "--stay",
    is_flag=True,
    help="Start the console with the demo, and let everything go on behind the story until Ctrl-C.",
)
@click.option(
    "--stay-rate",
    default=50.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Events a second behind the story.",
)
@click.option(
    "--web-port",
    type=click.IntRange(1, 65535),
    help="Of the console that stays; by default 8090, or a free one where that is taken.",
)
@click.pass_context
def command(
    context: click.Context,
    rate: float,
    events: int,
    burst: int,
    seed: int,
    data: Path | None,
    report_file: Path,
    as_json: bool,
    broker: str | None,
    redis_url: str | None,
    stay: bool,
    stay_rate: float,
    web_port: int | None,
) -> None:
    """Show the whole system on this machine in a few minutes.

    Starts a real Kafka and Redis, trains a model on a simulated bank and scores its payments while they flow. A new
    fraud tactic begins and recall falls; the drift agent says what moved and asks for a retrain; a model trained on
    fresh archived data passes the gate, is shadow, canary, champion, and recall recovers; then a bad model is pushed by
    hand and rolled back by itself. Counts latency, throughput, what was lost and what was scored twice.
    """
    if (broker is None) != (redis_url is None):
        raise click.UsageError("give both --broker and --redis, or neither")
    plan = DemoPlan(events=events, rate=rate, burst=burst, seed=seed)
    narrator = Narrator(Console(stderr=True))
    require_place(report_file)
    with _ended_by_signals(narrator), ExitStack() as stack:
        folder = stack.enter_context(run_folder(data, "demo"))
        try:
            connections = stack.enter_context(_connections(folder, broker, redis_url, narrator))
            close = partial(_close, report_file=report_file, data=data, as_json=as_json, stays=stay)
            staying = Staying(connections, folder, narrator, stay_rate, web_port, close) if stay else None
            result = Demo(plan, connections, folder, narrator, code_commit()).run(staying)
            narrator.say("ending Kafka, Redis and the workers")
        except (KeyboardInterrupt, SystemExit):
            stack.close()
            narrator.say("ended; nothing is left running")
            raise
    if not stay:
        close(result)
    else:
        narrator.say("nothing is left running")
    if result.report.lost or result.report.duplicated:
        context.exit(LOST_OR_DUPLICATED_EXIT_CODE)


def _close(result: DemoResult, report_file: Path, data: Path | None, *, as_json: bool, stays: bool) -> None:
    """Write the report, print it, and say where to look next."""
    result.report.write(report_file)
    picture = report_file.with_suffix(".svg")
    draw(result.days, result.marks, picture)
    if as_json:
        click.echo(result.report.json())
        return
    console = Console()
    result.print_to(console)
    kept = "" if data is None or stays else f"{_again(data, result)}\n"
    left = "" if stays else " Nothing is left running."
    console.print(
        f"The same figures are in {report_file}, recall by event day as a picture in {picture}.{left}\n{kept}"
        "Look next: README.md for ten lines of a consumer, docs/simulator.md to order fraud. The same by hand:\n"
        "`fraudstream stack up`, `models train --simulated --promote`, `score`, `archive`, `watch`, `retrain`,\n"
        "`simulate`, `scores`, `drift`, `performance`, `models release`.",
        soft_wrap=True,
        highlight=False,
    )


def _again(data: Path, result: DemoResult) -> str:
    """Say where everything is, and how a model of the retrainer is made again from it."""
    kept = f"The data and the logs are in {data}."
    if not result.report.promotions:
        return kept
    version = result.report.promotions[0].version
    return (
        f"{kept} To make a retrained model again from its rows and compare:\n"
        f"`export FRAUDSTREAM_DATA={data}`, `fraudstream stack up`,\n"
        f"`fraudstream models reproduce {version} --archive {data / 'history'}`, `fraudstream stack down`."
    )


def _ended_by_signals(narrator: Narrator) -> AbstractContextManager[None]:
    """Let Ctrl-C and SIGTERM say so at once, then unwind like any other end, so that nothing stays behind."""

    def end(number: int) -> NoReturn:
        narrator.say("interrupted; ending everything that was started")
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(TERMINATED_EXIT_CODE)

    return on_signals(end)


@contextmanager
def _connections(folder: Path, broker: str | None, redis_url: str | None, narrator: Narrator) -> Iterator[Connections]:
    """The given Kafka and Redis, with names of this run alone, or temporary ones."""
    if broker is not None and redis_url is not None:
        run = f"demo-{secrets.token_hex(4)}"
        yield Connections(broker, redis_url, TopicNames(f"{run}."), f"{run}:")
        return
    with LocalStack(folder, report=narrator.say) as stack:
        narrator.say(f"Kafka answers at {stack.broker}, Redis at {stack.redis_url}")
        yield Connections(stack.broker, stack.redis_url, TopicNames(), DEFAULT_REDIS_PREFIX)
