"""`fraudstream audit`: read, export, verify and publish the audit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from models.audit.anchor import Anchor
from models.audit.chain import AuditError, check_chain, decoded
from models.registry import Registry
from models.schema.audit_record import AuditKind, AuditRecord
from models.schema.topics import TopicNames
from models.signing import SigningKey
from stream_app.audit.publisher import AuditPublisher
from stream_app.audit.verification import KafkaAudit, check_anchor, up_to, verified
from stream_app.commands.connection import (
    connection_options,
    data_folder,
    known_address,
    redis_option,
    redis_prefix_option,
    topic_prefix_option,
)
from stream_app.commands.model_options import allowed_signers_option, json_option, signers, signing_key_option_saying
from stream_app.commands.model_tables import as_json, moment

_KINDS: Final = get_args(AuditKind)

signing_key_option = signing_key_option_saying(
    "Ed25519 key that signs the head; by default signing-key.pem in the data folder, unsigned when there is none."
)


@click.group(name="audit")
def command() -> None:
    """Read, export, verify and publish the audit: who did what, when and why."""


@command.command(name="list")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Only this kind; may be repeated.")
@click.option("--since", type=click.DateTime(), help="Only what was written from this UTC time on.")
@click.option("--actor", "actors", multiple=True, metavar="NAME", help="Only what NAME did; may be repeated.")
@redis_option
@redis_prefix_option
@json_option
def list_command(
    kinds: tuple[str, ...],
    since: datetime | None,
    actors: tuple[str, ...],
    redis_url: str,
    redis_prefix: str,
    json_only: bool,
) -> None:
    """List records, the oldest first."""
    since_ms = 0 if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1000)
    found = [
        record
        for record in Registry(redis_url, redis_prefix).audit()
        if record.time_ms >= since_ms and (not kinds or record.kind in kinds) and (not actors or record.actor in actors)
    ]
    if json_only:
        click.echo(as_json(found))
    elif found:
        Console().print(_table(found))
    else:
        click.echo("the audit has no such record")


@command.command(name="export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@signing_key_option
@redis_option
@redis_prefix_option
def export_command(file: Path, signing_key: Path | None, redis_url: str, redis_prefix: str) -> None:
    """Write the audit to FILE, one JSON record a line, and print its head: keep that where nobody can change it.

    With FILE and head, `fraudstream audit verify FILE --anchor HEAD` finds any change, at any time, without Redis.
    """
    records = Registry(redis_url, redis_prefix).audit()
    head = check_chain(records, "Redis")
    try:
        file.write_bytes(b"".join(record.canonical() + b"\n" for record in records))
    except OSError as error:
        raise AuditError(f"{file} cannot be written: {error.strerror}; name another file") from error
    click.echo(f"{len(records):,} records in {file}; head {_head(head, signing_key)}")


@command.command(name="head")
@signing_key_option
@redis_option
@redis_prefix_option
def head_command(signing_key: Path | None, redis_url: str, redis_prefix: str) -> None:
    """Print number, hash and signature of the last record, for `--anchor`: to be kept elsewhere, say in a ticket."""
    click.echo(_head(Registry(redis_url, redis_prefix).log.head(), signing_key))


@command.command(name="verify")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--anchor", metavar="HEAD", help="A head that export or head printed: the chain must still run through it."
)
@allowed_signers_option
@click.option("--broker", envvar="FRAUDSTREAM_BROKER", metavar="HOST:PORT", help="Kafka's address, without FILE.")
@click.option("--redis", envvar="FRAUDSTREAM_REDIS", metavar="URL", help="Redis' address, without FILE.")
@topic_prefix_option
@redis_prefix_option
def verify_command(
    file: Path | None,
    anchor: str | None,
    allowed_signers: Path | None,
    broker: str | None,
    redis: str | None,
    topics: TopicNames,
    redis_prefix: str,
) -> None:
    """Check the audit in Redis and its copy in Kafka, or an exported FILE.

    A record that was changed, removed, put in, moved, or cut off at the end is named on one line; the exit code is 2.
    """
    known = None if anchor is None else Anchor.read(anchor)
    if known is not None and known.signer:
        known.verify(signers(allowed_signers))
    if file is not None:
        records = read_file(file)
        head = check_chain(records, str(file))
        check_anchor(known, records, str(file))
        told = "" if known is not None else "; without --anchor a cut-off end would not be seen"
        click.echo(f"{file}: {len(records):,} records follow one another{up_to(head)}{told}")
        return
    registry = Registry(known_address(redis, "redis"), redis_prefix)
    where = KafkaAudit(known_address(broker, "broker"), topics)
    click.echo(verified(registry, where, known, lambda: signers(allowed_signers)))


@command.command(name="publish")
@signing_key_option
@connection_options
@topic_prefix_option
@redis_prefix_option
def publish_command(
    signing_key: Path | None, broker: str, redis_url: str, topics: TopicNames, redis_prefix: str
) -> None:
    """Send to Kafka what is only in Redis; `fraudstream retrain` does so all the time."""
    log = Registry(redis_url, redis_prefix).log
    sent = AuditPublisher(broker, topics, log, _key(signing_key)).publish()
    click.echo(f"{sent:,} records sent; Kafka has the audit up to record {log.published}")


def read_file(file: Path) -> list[AuditRecord]:
    """Return the records of an exported file, not yet checked as a chain; AuditError for what is none."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise AuditError(f"{file} cannot be read: {error.strerror}; name an exported audit") from error
    lines = content.split(b"\n")
    if lines.pop():
        raise AuditError(f"line {len(lines) + 1} of {file} does not end: the file was cut off or added to")
    return decoded(lines, str(file))


def _head(record: AuditRecord | None, signing_key: Path | None) -> str:
    if record is None:
        raise AuditError("the audit is empty: nothing has been recorded yet")
    return str(Anchor.of(record, _key(signing_key)))


def _key(path: Path | None) -> SigningKey | None:
    own = data_folder() / "signing-key.pem"
    if path is None:
        return SigningKey.load(own) if own.exists() else None
    return SigningKey.load(path)


def _table(records: Sequence[AuditRecord]) -> Table:
    table = Table("record", "at (UTC)", "kind", "actor", "subject", "reason", box=SIMPLE)
    for one in records:
        table.add_row(str(one.sequence), moment(one.time_ms), one.kind, one.actor, one.subject, one.reason)
    return table
