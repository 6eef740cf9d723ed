"""`fraudstream evaluate`: stream a labelled file through the whole system and measure accuracy."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from models.schema.topics import TopicNames
from producers.progress import progress_line
from stream_app.evaluate.handbook import HandbookEvaluation, HandbookPlan
from stream_app.evaluate.truth import require_file
from stream_app.stack.local_stack import LocalStack
from stream_app.worker_processes import Connections


@click.group(name="evaluate")
def command() -> None:
    """Measure accuracy through the stream."""


@command.command()
@click.option(
    "--file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The handbook's transactions (Parquet or CSV).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--broker", metavar="HOST:PORT", help="A Kafka to use instead of a temporary one; needs --redis.")
@click.option("--redis", "redis_url", metavar="URL", help="A Redis to use instead of a temporary one; needs --broker.")
@click.option("--seed", default=0, show_default=True, help="Of the models' fits.")
def handbook(file: Path, as_json: bool, broker: str | None, redis_url: str | None, seed: int) -> None:
    """Measure by the Fraud Detection Handbook's protocol.

    Every transaction of FILE up to event day 156 flows through Kafka, the scoring worker and the profile keeper, in
    lockstep with the profiles; frauds become known 7 event days later; before each test week (from days 129, 136,
    143, 150) the default model is trained on the feature values that the worker recorded, and promoted.

    Starts a Kafka and a Redis for itself, in a temporary folder that takes about 3 GB.
    """
    if (broker is None) != (redis_url is None):
        raise click.UsageError("give both --broker and --redis, or neither")
    require_file(file)
    with (
        tempfile.TemporaryDirectory(prefix="fraudstream-evaluate-") as folder,
        _connections(Path(folder), broker, redis_url) as connections,
    ):
        evaluation = HandbookEvaluation(file, HandbookPlan(seed=seed), connections, Path(folder))
        with progress_line(evaluation.progress.line):
            report = evaluation.run()
    if as_json:
        click.echo(report.json())
    else:
        report.print_to(Console())


@contextmanager
def _connections(folder: Path, broker: str | None, redis_url: str | None) -> Iterator[Connections]:
    """The given Kafka and Redis, or temporary ones; with names of this run alone."""
    run = f"evaluate-{secrets.token_hex(4)}"
    names, prefix = TopicNames(f"{run}."), f"{run}:"
    if broker is not None and redis_url is not None:
        yield Connections(broker, redis_url, names, prefix)
        return
    with LocalStack(folder / "stack") as stack:
        yield Connections(stack.broker, stack.redis_url, names, prefix)
