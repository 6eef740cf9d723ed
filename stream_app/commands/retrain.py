"""`fraudstream retrain`: answer retrain requests, and bring what passes the gate into use."""

import asyncio
import os
import secrets
import socket
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import click
import msgspec

from models.access.redis_access import RELEASER, require_redis
from models.errors import FraudstreamError, one_line
from models.features.feature_set import WARM_UP_DAYS
from models.gate.limits import GateLimits
from models.release.plan import ReleasePlan
from models.retraining.plan import RetrainPlan
from models.schema.topics import TopicNames
from models.signing import AllowedSigners
from stream_app.access.kafka_requirement import require_access
from stream_app.commands.archive_options import archive_option, archive_url, storage_option
from stream_app.commands.connection import connection_options, data_folder, redis_prefix_option, topic_prefix_option
from stream_app.commands.model_options import allowed_signers_option, key_to_sign, signing_key_option
from stream_app.commands.models_train import code_commit
from stream_app.commands.page_options import web_host_option
from stream_app.commands.telemetry_options import Telemetry, telemetry_options
from stream_app.retrain.request_source import GROUP
from stream_app.retrain.run import RetrainProcess
from stream_app.retrain.settings import RetrainSettings

_EPOCH = date(1970, 1, 1)


class PlanFileError(FraudstreamError):
    """Raised for a file that is no plan."""


class _Plans(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a plan file may say."""

    retrain: RetrainPlan = msgspec.field(default_factory=RetrainPlan)
    gate: GateLimits = msgspec.field(default_factory=GateLimits)
    release: ReleasePlan = msgspec.field(default_factory=ReleasePlan)


@click.command()
@connection_options
@topic_prefix_option
@redis_prefix_option
@archive_option
@storage_option
@signing_key_option
@allowed_signers_option
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    show_envvar=True,
    metavar="FILE",
    help='JSON of what is tried, what the gate asks for and how long a release takes: {"retrain": {…}, "gate": {…}, '
    '"release": {…}}, with fields of RetrainPlan, GateLimits and ReleasePlan; the defaults otherwise.',
)
@click.option(
    "--maturity-days",
    default=7.0,
    show_default=True,
    type=click.FloatRange(0, 365),
    help="Event days until labels count as complete.",
)
@click.option(
    "--train-from",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    show_envvar=True,
    help=f"First event day that is trained on. By default {WARM_UP_DAYS} days behind the archive's first: before them "
    "windows are still filling.",
)
@click.option(
    "--tries",
    default=14,
    show_default=True,
    type=click.IntRange(1),
    help="How often an undecided request is tried, each time with another mature day.",
)
@click.option(
    "--failures",
    default=3,
    show_default=True,
    type=click.IntRange(0),
    help="How often a failed try is begun again before its request becomes a dead letter.",
)
@click.option(
    "--retry-after",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds until a failed try is begun again; they double each time.",
)
@click.option(
    "--longest-training",
    default=3600.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds after which a training is killed.",
)
@click.option(
    "--lease",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.5),
    help="Seconds until another retrainer takes over.",
)
@web_host_option
@click.option(
    "--web-port", type=click.IntRange(1, 65535), show_envvar=True, help="Port of /healthz, /readyz and /metrics."
)
@telemetry_options
def command(
    telemetry: Telemetry,
    broker: str,
    redis_url: str,
    topics: TopicNames,
    redis_prefix: str,
    archive: str | None,
    storage_options: Mapping[str, str],
    signing_key: Path | None,
    allowed_signers: Path | None,
    plan_file: Path | None,
    maturity_days: float,
    train_from: datetime | None,
    tries: int,
    failures: int,
    retry_after: float,
    longest_training: float,
    lease: float,
    web_host: str,
    web_port: int | None,
) -> None:
    """Train for each retrain request, hold the model against the champion, and release what is better.

    Of several one trains and one releases, the others stand by.
    """
    key_to_sign(signing_key)
    plans = _plans(plan_file)
    settings = RetrainSettings(
        broker=broker,
        redis_url=redis_url,
        archive_url=archive_url(archive),
        worker=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
        folder=data_folder() / "retrain",
        signing_key=signing_key or data_folder() / "signing-key.pem",
        allowed_signers=allowed_signers or data_folder() / "allowed-signers",
        code_commit=code_commit(),
        storage_options=storage_options,
        topics=topics,
        redis_prefix=redis_prefix,
        web_host=web_host,
        web_port=web_port,
        plan=plans.retrain,
        limits=plans.gate,
        release_plan=plans.release,
        maturity_days=maturity_days,
        train_from=None if train_from is None else (train_from.date() - _EPOCH).days,
        most_tries=tries,
        most_failures=failures,
        retry_s=retry_after,
        training_s=longest_training,
        lease_s=lease,
    )
    telemetry.begin("retrain")
    _require_everything(settings)
    asyncio.run(RetrainProcess(settings).run())


def _plans(file: Path | None) -> _Plans:
    if file is None:
        return _Plans()
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Plans)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError, FraudstreamError) as error:
        raise PlanFileError(f"{file} is no plan: {one_line(error)}") from None


def _require_everything(settings: RetrainSettings) -> None:
    """Refuse with one line before anything starts."""
    topics = settings.topics
    needed = [topics.retrain_requests, topics.archive_commits, topics.model_events, topics.audit, topics.dead_letter]
    require_access(settings.broker, "retrain", topics, [*needed, topics.features], topics.prefix + GROUP)
    AllowedSigners.in_folder(settings.allowed_signers)
    require_redis(settings.redis_url)
    require_redis(settings.redis_url, RELEASER)
