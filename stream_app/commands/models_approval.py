"""`fraudstream models approvals`, `approve` and `reject`: promotions by hand that need a second person."""

from pathlib import Path

import click

from models.errors import FraudstreamError
from models.proposal import APPROVALS_OFF
from models.registry import Registry
from models.scorer import LoadedModel
from stream_app.commands.connection import redis_option, redis_prefix_option
from stream_app.commands.model_options import actor_option, allowed_signers_option, json_option, reason_option, signers
from stream_app.commands.model_tables import as_json, moment, report_move, report_proposal


class SwitchError(FraudstreamError):
    """Raised when the switch is moved without a reason."""


@click.command(name="approvals")
@click.option("--require", "wanted", type=click.Choice(["on", "off"]), help="Ask for a second person, or no longer.")
@actor_option
@click.option("--reason", metavar="TEXT", help="Why, for the audit record; needed with --require.")
@redis_option
@redis_prefix_option
@json_option
def approvals_command(
    wanted: str | None, actor: str, reason: str | None, redis_url: str, redis_prefix: str, json_only: bool
) -> None:
    """Show whether promotions by hand need two persons and what waits for the second, or switch that.

    One person switches it on. Off needs two: the first proposes it here, the second approves `approvals-off`.
    """
    registry = Registry(redis_url, redis_prefix)
    if wanted is not None and not reason:
        raise SwitchError("--require needs a --reason: it goes into the audit")
    if wanted == "on":
        registry.require_approvals(actor, reason or "")
    elif wanted == "off" and registry.approvals_required():
        report_proposal(registry.propose(APPROVALS_OFF, actor, reason or ""), json_only=json_only)
        return
    required, waiting = registry.approvals_required(), registry.proposals()
    if json_only:
        click.echo(as_json({"required": required, "proposals": waiting}))
        return
    click.echo(f"promotions by hand need {'two persons' if required else 'one person'}")
    for one in waiting:
        click.echo(
            f"{one.subject}: {one.actor} at {moment(one.at_ms)} UTC, until {moment(one.expires_ms)}: {one.reason}"
        )


@click.command(name="approve")
@click.argument("subject", metavar="VERSION")
@actor_option
@click.option("--reason", default="approved", show_default=True, metavar="TEXT", help="Why, for the audit record.")
@allowed_signers_option
@redis_option
@redis_prefix_option
@json_option
def approve_command(
    subject: str,
    actor: str,
    reason: str,
    allowed_signers: Path | None,
    redis_url: str,
    redis_prefix: str,
    json_only: bool,
) -> None:
    """Carry out what another person has proposed: VERSION becomes champion, once it is verified again.

    `approvals-off` in place of VERSION switches two-person approval off, if that is what was proposed.
    """
    registry = Registry(redis_url, redis_prefix)
    if subject != APPROVALS_OFF:
        LoadedModel.load(registry.get(subject), signers(allowed_signers))
    moved = registry.approve(subject, actor, reason)
    if moved is not None:
        report_move(moved, json_only=json_only)
    elif json_only:
        click.echo(as_json({"required": False}))
    else:
        click.echo("promotions by hand need one person from now on")


@click.command(name="reject")
@click.argument("subject", metavar="VERSION")
@actor_option
@reason_option
@redis_option
@redis_prefix_option
@json_option
def reject_command(subject: str, actor: str, reason: str, redis_url: str, redis_prefix: str, json_only: bool) -> None:
    """Take what is proposed for VERSION, or `approvals-off`, off the table; who proposed it may do so too."""
    record = Registry(redis_url, redis_prefix).reject(subject, actor, reason)
    click.echo(as_json(record) if json_only else f"{subject} is no longer proposed ({actor}: {reason})")
