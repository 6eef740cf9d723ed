"""`fraudstream scores`: read scores, each transaction's exactly once."""

import itertools
import time
from datetime import UTC, datetime

import click

from models.schema.score import Score
from models.schema.topics import TopicNames
from stream_app.commands.connection import broker_option, topic_prefix_option
from stream_app.scores_reader import ScoresReader, as_json

_COLOURS = {"approve": "green", "review": "yellow", "decline": "red"}
_HEADING = f"{'event time':<19}  {'transaction':<16} {'card':<12} {'score':>5}  {'decision':<8} {'model':<14} why"


@click.command()
@broker_option
@topic_prefix_option
@click.option("--follow", is_flag=True, help="Wait for further scores; Ctrl-C ends.")
@click.option("--from-beginning/--from-now", default=None, help="Where to start; from the beginning unless --follow.")
@click.option("--group", help="Consumer group, to go on where it ended; by default a new one each time.")
@click.option("--limit", type=click.IntRange(1), help="End after so many scores.")
@click.option("--flagged", is_flag=True, help="Only what went to review or was declined.")
@click.option("--json", "json_lines", is_flag=True, help="Print one JSON object a line.")
def command(
    broker: str,
    topics: TopicNames,
    follow: bool,
    from_beginning: bool | None,
    group: str | None,
    limit: int | None,
    flagged: bool,
    json_lines: bool,
) -> None:
    """Read scores: each transaction's exactly once, in its partition's order."""
    beginning = not follow if from_beginning is None else from_beginning
    reader = ScoresReader(
        broker,
        group or f"fraudstream-scores-{time.time_ns()}",
        topic=topics.scores,
        from_beginning=beginning,
        idle_timeout_s=None if follow else 3.0,
    )
    with reader as scores:
        wanted = (score for score in scores if not flagged or score.decision != "approve")
        if not json_lines:
            click.secho(_HEADING, bold=True)
        for score in itertools.islice(wanted, limit):
            click.echo(as_json(score) if json_lines else _line(score))


def _line(score: Score) -> str:
    at = datetime.fromtimestamp(score.event_time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    marks = " degraded" * score.degraded + " duplicate" * score.duplicate
    why = ", ".join(f"{reason.feature}={reason.value:g}" for reason in score.reason_codes)
    decision = click.style(f"{score.decision:<8}", fg=_COLOURS[score.decision])
    return (
        f"{at}  {score.transaction_id:<16.16} {score.card_id:<12.12} {score.score:5.3f}  {decision} "
        f"{score.model_version:<14} {why}{marks}"
    )
