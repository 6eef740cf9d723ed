"""`fraudstream console`: pages for people."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from models.access.secret import from_environment
from models.schema.topics import TopicNames
from stream_app.commands.archive_options import archive_option, archive_url, storage_option
from stream_app.commands.connection import connection_options, data_folder, redis_prefix_option, topic_prefix_option
from stream_app.commands.model_options import allowed_signers_option
from stream_app.commands.telemetry_options import Telemetry, telemetry_options
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.oidc import OidcSettings
from stream_app.console.run import run_console
from stream_app.console.secret import console_secret
from stream_app.console.settings import ConsoleSettings

_CLIENT_SECRET = "FRAUDSTREAM_CONSOLE_OIDC_CLIENT_SECRET"  # noqa: S105  the variable's name; it may say file:PATH


@click.command()
@connection_options
@topic_prefix_option
@redis_prefix_option
@archive_option
@storage_option
@allowed_signers_option
@click.option("--group", default="fraudstream-score", show_default=True, help="Consumer group of the scorers.")
@click.option(
    "--review-cost",
    default=5.0,
    show_default=True,
    show_envvar=True,
    type=click.FloatRange(0),
    help="What one review costs, in the reporting currency; what is worth less than it comes last in the queue.",
)
@click.option("--web-host", default="127.0.0.1", show_default=True, show_envvar=True, help="Where pages are served.")
@click.option("--web-port", default=8090, show_default=True, type=click.IntRange(1, 65535), show_envvar=True)
@click.option(
    "--accounts",
    type=click.Path(path_type=Path, dir_okay=False),
    show_envvar=True,
    help="Who may come in, see `fraudstream console-user`; by default console-users.json in the data folder.",
)
@click.option(
    "--idle-minutes", default=60.0, show_default=True, type=click.FloatRange(1), help="Until an unused session ends."
)
@click.option(
    "--absolute-hours", default=12.0, show_default=True, type=click.FloatRange(0.1), help="Until any session ends."
)
@click.option("--tls-certificate", type=click.Path(path_type=Path, dir_okay=False, exists=True), show_envvar=True)
@click.option("--tls-key", type=click.Path(path_type=Path, dir_okay=False, exists=True), show_envvar=True)
@click.option("--tls-proxy", is_flag=True, show_envvar=True, help="Something in front of the console speaks TLS.")
@telemetry_options
@click.option("--oidc-issuer", metavar="URL", show_envvar=True, help="An identity provider at which people sign in.")
@click.option("--oidc-client-id", metavar="ID", show_envvar=True, help="As the provider knows the console.")
@click.option(
    "--oidc-role-claim", default="roles", show_default=True, show_envvar=True, help="Claim that holds the role."
)
@click.option(
    "--oidc-name-claim", default="preferred_username", show_default=True, show_envvar=True, help="Claim with the name."
)
def command(
    telemetry: Telemetry,
    broker: str,
    redis_url: str,
    topics: TopicNames,
    redis_prefix: str,
    archive: str | None,
    storage_options: Mapping[str, str],
    allowed_signers: Path | None,
    group: str,
    review_cost: float,
    web_host: str,
    web_port: int,
    accounts: Path | None,
    idle_minutes: float,
    absolute_hours: float,
    tls_certificate: Path | None,
    tls_key: Path | None,
    tls_proxy: bool,
    oidc_issuer: str | None,
    oidc_client_id: str | None,
    oidc_role_claim: str,
    oidc_name_claim: str,
) -> None:
    """Serve pages that show what is scored and how the models do, and let people act on it."""
    file = accounts_file(accounts)
    settings = ConsoleSettings(
        broker=broker,
        redis_url=redis_url,
        data_folder=data_folder(),
        archive_url=archive_url(archive),
        secret=console_secret(file.with_name("console-secret")),
        accounts_file=file,
        topics=topics,
        redis_prefix=redis_prefix,
        storage_options=storage_options,
        allowed_signers=allowed_signers,
        score_group=group,
        review_cost_minor=round(review_cost * 100),
        web_host=web_host,
        web_port=web_port,
        idle_s=idle_minutes * 60,
        absolute_s=absolute_hours * 3600,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        tls_proxy=tls_proxy,
        oidc=_oidc(oidc_issuer, oidc_client_id, oidc_role_claim, oidc_name_claim),
    )
    telemetry.begin("console")
    if not Accounts(file).all() and settings.oidc is None:
        click.echo("nobody may come in yet; add somebody with `fraudstream console-user NAME --role admin`", err=True)
    run_console(settings)


def _oidc(issuer: str | None, client_id: str | None, role_claim: str, name_claim: str) -> OidcSettings | None:
    if issuer is None:
        return None
    secret = from_environment(os.environ, _CLIENT_SECRET)
    if client_id is None or secret is None:
        raise click.UsageError(f"--oidc-issuer needs --oidc-client-id, and the client's secret in {_CLIENT_SECRET}")
    return OidcSettings(issuer, client_id, secret, role_claim, name_claim)


def accounts_file(given: Path | None) -> Path:
    """Return the file given, else the data folder's."""
    return given or data_folder() / "console-users.json"
