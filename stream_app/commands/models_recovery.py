"""`fraudstream models backup` and `restore`: models kept outside Redis, and a lost registry rebuilt from them."""

import time
from pathlib import Path

import click

from models.audit.anchor import Anchor
from models.audit.chain import AuditError, check_chain
from models.registry import Registry
from models.schema.topics import TopicNames
from stream_app.audit.copy import read_copy
from stream_app.audit.verification import check_signed
from stream_app.commands.archive_options import archive_option, archive_url
from stream_app.commands.audit import read_file
from stream_app.commands.connection import connection_options, redis_option, redis_prefix_option, topic_prefix_option
from stream_app.commands.model_options import actor_option, allowed_signers_option, json_option, reason_option, signers
from stream_app.commands.model_tables import as_json
from stream_app.model_store import ModelStore
from stream_app.recovery import back_up, restore

models_option = click.option(
    "--models",
    "models_url",
    metavar="URL",
    help="Folder or object-store URL of the kept models; by default `models` in the archive.",
)


@click.command(name="backup")
@models_option
@archive_option
@redis_option
@redis_prefix_option
@json_option
def backup_command(
    models_url: str | None, archive: str | None, redis_url: str, redis_prefix: str, json_only: bool
) -> None:
    """Keep every model outside Redis; `fraudstream retrain` does so all the time."""
    store = _store(models_url, archive)
    kept = back_up(Registry(redis_url, redis_prefix), store)
    if json_only:
        click.echo(as_json({"url": store.url, "kept": kept, "versions": store.versions()}))
    else:
        click.echo(f"{len(kept):,} new models kept in {store.url}, which has {len(store.versions()):,}")


@click.command(name="restore")
@models_option
@archive_option
@click.option(
    "--audit",
    "audit_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="An exported audit to restore from; by default Kafka's copy.",
)
@click.option("--anchor", metavar="HEAD", help="A head that was kept: the audit must run through it.")
@click.option(
    "--set-aside",
    is_flag=True,
    help="Move an audit that was begun since the loss to a key of its own: what it tells is not in the restored one.",
)
@actor_option
@reason_option
@allowed_signers_option
@connection_options
@topic_prefix_option
@redis_prefix_option
@json_option
def restore_command(
    models_url: str | None,
    archive: str | None,
    audit_file: Path | None,
    anchor: str | None,
    set_aside: bool,
    actor: str,
    reason: str,
    allowed_signers: Path | None,
    broker: str,
    redis_url: str,
    topics: TopicNames,
    redis_prefix: str,
    json_only: bool,
) -> None:
    """Rebuild a registry whose Redis was lost: verified models, aliases with their history, approvals and audit.

    End `fraudstream retrain` and `watch` before, and start them afterwards; `score` goes on meanwhile.
    """
    allowed = signers(allowed_signers)
    if audit_file is not None:
        records, signed = read_file(audit_file), None
        check_chain(records, str(audit_file))
    else:
        copy = read_copy(broker, topics.audit)
        records, signed = copy.records, copy.anchor
        check_chain(records, "Kafka")
        check_signed(signed, records, lambda: signers(allowed_signers))
    if not records:
        raise AuditError("there is no audit to restore from: Kafka has none; give an exported one with --audit")
    if anchor is not None:
        known = Anchor.read(anchor)
        if known.signer:
            known.verify(allowed)
        known.check(records, "the audit to restore from")
    registry, store = Registry(redis_url, redis_prefix), _store(models_url, archive)
    aside = registry.log.set_aside() if set_aside else None
    done = restore(registry, records, store, allowed, actor, reason, int(time.time()))
    if json_only:
        click.echo(as_json({"models": done.models, "refused": done.refused, "left_out": done.left_out, "aside": aside}))
        return
    for version, why in done.refused.items():
        click.echo(f"{version} is not put back: {why}")
    for name in done.left_out:
        click.echo(f"alias {name} points nowhere: its model was not put back")
    if aside is not None:
        click.echo(f"the audit begun since the loss is in Redis as {aside}")
    click.echo(
        f"{len(done.models):,} models and {done.records:,} audit records put back; the champion serves as before"
    )


def _store(models_url: str | None, archive: str | None) -> ModelStore:
    return ModelStore.in_archive(archive_url(archive)) if models_url is None else ModelStore(models_url)
