"""`fraudstream score`: score transactions with the promoted model."""

import getpass
import os
import secrets
import socket
from pathlib import Path

import click

from models.schema.topics import TopicNames
from stream_app.access.kafka_requirement import require_access
from stream_app.commands.connection import connection_options, data_folder, redis_prefix_option, topic_prefix_option
from stream_app.commands.page_options import web_host_option
from stream_app.commands.telemetry_options import Telemetry, telemetry_options
from stream_app.faust_app import run_app
from stream_app.scoring.app import scoring_app
from stream_app.scoring.settings import ScoringSettings


@click.command()
@connection_options
@topic_prefix_option
@redis_prefix_option
@click.option(
    "--group", default="fraudstream-score", show_default=True, help="Consumer group; its workers share the partitions."
)
@click.option("--checkpoints", metavar="URL", help="Folder or object-store URL that all workers of the group share.")
@click.option(
    "--allowed-signers", type=click.Path(path_type=Path), metavar="FOLDER", help="Public keys whose models may score."
)
@click.option(
    "--rates", type=click.Path(path_type=Path), metavar="FILE", help="Exchange rates into the reporting currency."
)
@click.option(
    "--session-timeout",
    default=6.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds until a silent worker loses its partitions.",
)
@click.option(
    "--batch", default=2000, show_default=True, type=click.IntRange(1, 10000), help="Most records scored at once."
)
@click.option(
    "--checkpoint-every",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds between checkpoints.",
)
@click.option(
    "--overdue-after",
    default=15.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds that a transaction may wait; older ones go without reason codes, marked degraded, while more wait.",
)
@click.option(
    "--accept-cold-state",
    is_flag=True,
    help="Score although card history cannot be rebuilt; scores are marked degraded.",
)
@click.option(
    "--new-epoch",
    metavar="REASON",
    help="Go on although the input topic is another or shorter than the one scored before.",
)
@click.option(
    "--control-share",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 1, max_open=True),
    help="Chance of a decline to pass, as the control group; 0 lets none pass.",
)
@click.option(
    "--control-amount-cap",
    default=250,
    show_default=True,
    type=click.IntRange(0),
    help="Largest amount that may pass so, in units of the reporting currency.",
)
@click.option(
    "--control-day-cap",
    default=100,
    show_default=True,
    type=click.IntRange(0),
    help="Most transactions that pass so in an event day, over all partitions.",
)
@click.option(
    "--hard-block", type=click.FloatRange(0, 1), metavar="SCORE", help="Score from which on nothing passes so."
)
@click.option(
    "--control-seed",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Secret key of the draw, the same for all workers; made in the data folder if not given.",
)
@web_host_option
@click.option("--web-port", type=click.IntRange(1, 65535), help="Port of /healthz, /readyz and /metrics.")
@telemetry_options
def command(
    telemetry: Telemetry,
    broker: str,
    redis_url: str,
    topics: TopicNames,
    redis_prefix: str,
    group: str,
    checkpoints: str | None,
    allowed_signers: Path | None,
    rates: Path | None,
    session_timeout: float,
    batch: int,
    checkpoint_every: float,
    overdue_after: float,
    accept_cold_state: bool,
    new_epoch: str | None,
    control_share: float,
    control_amount_cap: int,
    control_day_cap: int,
    hard_block: float | None,
    control_seed: Path | None,
    web_host: str,
    web_port: int | None,
) -> None:
    """Score transactions with the promoted model, until SIGTERM or Ctrl-C.

    More workers of the same group share the partitions.
    """
    folder = data_folder()
    settings = ScoringSettings(
        broker=broker,
        redis_url=redis_url,
        data_folder=folder,
        checkpoints=checkpoints or str(folder / "checkpoints"),
        allowed_signers=allowed_signers or folder / "allowed-signers",
        topics=topics,
        redis_prefix=redis_prefix,
        group=group,
        rates_file=rates,
        session_timeout_s=session_timeout,
        batch_records=batch,
        checkpoint_interval_s=checkpoint_every,
        overdue_after_s=overdue_after,
        accept_cold_state=accept_cold_state,
        new_epoch=new_epoch,
        control_share=control_share,
        control_amount_cap=control_amount_cap,
        control_day_cap=control_day_cap,
        hard_block=hard_block,
        control_seed=control_seed,
        web_host=web_host,
        web_port=web_port,
        actor=getpass.getuser(),
    )
    telemetry.begin("score")
    needed = [topics.transactions, topics.scores, topics.features, topics.profiles, topics.dead_letter]
    require_access(broker, "score", topics, needed, group)
    writer = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    run_app(scoring_app(settings, writer))
