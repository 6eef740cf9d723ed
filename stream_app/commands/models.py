"""`fraudstream models`: train, list, show, promote, roll back and verify models."""

from pathlib import Path

import click
from rich.console import Console

from models.alias import Alias
from models.registry import Registry
from models.scorer import LoadedModel
from stream_app.commands.connection import redis_option, redis_prefix_option
from stream_app.commands.model_options import (
    actor_option,
    allowed_signers_option,
    json_option,
    reason_option,
    signers,
)
from stream_app.commands.model_tables import as_json, card, report_move, report_proposal, summary, version_table
from stream_app.commands.models_approval import approvals_command, approve_command, reject_command
from stream_app.commands.models_recovery import backup_command, restore_command
from stream_app.commands.models_release import release_command, unfreeze_command
from stream_app.commands.models_report import report_command
from stream_app.commands.models_reproduce import reproduce_command
from stream_app.commands.models_train import train_command


@click.group(name="models")
def command() -> None:
    """Train, list, show, promote, roll back and verify models."""


command.add_command(train_command)
command.add_command(approve_command)
command.add_command(approvals_command)
command.add_command(reject_command)
command.add_command(backup_command)
command.add_command(restore_command)
command.add_command(release_command)
command.add_command(unfreeze_command)
command.add_command(report_command)
command.add_command(reproduce_command)


@command.command(name="list")
@redis_option
@redis_prefix_option
@json_option
def list_command(redis_url: str, redis_prefix: str, json_only: bool) -> None:
    """List all versions, the oldest first."""
    registry = Registry(redis_url, redis_prefix)
    aliases = registry.aliases()
    summaries = [summary(manifest, aliases) for manifest in registry.manifests()]
    if json_only:
        click.echo(as_json(summaries))
    elif summaries:
        Console().print(version_table(summaries))
    else:
        click.echo("no models yet: fraudstream models train makes one")


@command.command(name="show")
@click.argument("version")
@redis_option
@redis_prefix_option
@json_option
def show_command(version: str, redis_url: str, redis_prefix: str, json_only: bool) -> None:
    """Show the model card of VERSION, which may be an alias such as champion."""
    registry = Registry(redis_url, redis_prefix)
    aliases = registry.aliases()
    manifest = registry.manifest(_named(version, aliases))
    moves = [record for record in registry.moves() if record.version == manifest.version]
    if json_only:
        click.echo(as_json({"manifest": manifest, "aliases": aliases, "moves": moves}))
    else:
        Console().print(card(manifest, aliases, moves))


@command.command(name="promote")
@click.argument("version")
@actor_option
@reason_option
@allowed_signers_option
@redis_option
@redis_prefix_option
@json_option
def promote_command(
    version: str,
    actor: str,
    reason: str,
    allowed_signers: Path | None,
    redis_url: str,
    redis_prefix: str,
    json_only: bool,
) -> None:
    """Make VERSION the champion, once it is verified; the champion before it becomes previous.

    Where promotions by hand need a second person it is proposed, and waits for `fraudstream models approve`.
    """
    registry = Registry(redis_url, redis_prefix)
    version = _named(version, registry.aliases())
    LoadedModel.load(registry.get(version), signers(allowed_signers))
    if registry.approvals_required():
        report_proposal(registry.propose(version, actor, reason), json_only=json_only)
    else:
        report_move(registry.promote(version, actor, reason), json_only=json_only)


@command.command(name="rollback")
@actor_option
@reason_option
@allowed_signers_option
@redis_option
@redis_prefix_option
@json_option
def rollback_command(
    actor: str, reason: str, allowed_signers: Path | None, redis_url: str, redis_prefix: str, json_only: bool
) -> None:
    """Make the previous champion the champion again, once it is verified."""
    registry = Registry(redis_url, redis_prefix)
    aliases = registry.aliases()
    champion = aliases.get("champion")
    if "previous" in aliases:
        LoadedModel.load(registry.get(aliases["previous"].version), signers(allowed_signers))
    sequence = None if champion is None else champion.sequence
    report_move(registry.rollback(actor, reason, expected_sequence=sequence), json_only=json_only)


@command.command(name="verify")
@click.argument("version", required=False)
@allowed_signers_option
@redis_option
@redis_prefix_option
@json_option
def verify_command(
    version: str | None, allowed_signers: Path | None, redis_url: str, redis_prefix: str, json_only: bool
) -> None:
    """Check signature, hashes, features and golden vectors of VERSION, or of all, and the chain of audit records."""
    registry = Registry(redis_url, redis_prefix)
    allowed, aliases = signers(allowed_signers), registry.aliases()
    audit = registry.recorded()
    chosen = [_named(version, aliases)] if version else [each.version for each in registry.manifests()]
    results = []
    for each in chosen:
        model = LoadedModel.load(registry.get(each), allowed)
        rows = len(model.manifest.golden.scores)
        results.append({"version": each, "golden_rows": rows, "largest_difference": model.check_golden()})
        if not json_only:
            difference = results[-1]["largest_difference"]
            click.echo(f"{each}: signature, hashes and features fit; {rows} golden rows within {difference:.1e}")
    if json_only:
        click.echo(as_json({"models": results, "audit_records": len(audit)}))


def _named(version: str, aliases: dict[str, Alias]) -> str:
    """Return the version that an alias stands for, or the version itself."""
    return aliases[version].version if version in aliases else version
