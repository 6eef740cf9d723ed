"""`fraudstream access`: say, and set, who may do what on Kafka and Redis."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from models.access.secret import FILE, resolved
from models.schema.topics import TopicNames
from stream_app.access.fresh_secrets import make_secrets
from stream_app.access.kafka_grants import as_commands, grant, rights_of, set_passwords
from stream_app.access.kafka_rights import KAFKA_RIGHTS
from stream_app.access.redis_users import acl_file, redis_rules
from stream_app.commands.connection import known_address, redis_prefix_option, topic_prefix_option

SERVERS = ("kafka-server", "redis-server")
_passwords_type = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Say, and set, who may do what on Kafka and Redis."""


@command.command()
@click.option(
    "--broker",
    envvar="FRAUDSTREAM_BROKER",
    show_envvar=True,
    metavar="HOST:PORT",
    help="For --apply: Kafka's address, by default that of the local stack.",
)
@topic_prefix_option
@click.option("--process", "processes", multiple=True, metavar="NAME", help="Only these; all by default.")
@click.option("--apply", "applies", is_flag=True, help="Grant it to users of these names; needs a super user.")
@click.option(
    "--passwords",
    type=_passwords_type,
    metavar="FOLDER",
    help="With --apply: create the users too, with the passwords in files kafka-NAME.",
)
@click.option("--commands", "as_shell", is_flag=True, help="Print commands for Kafka's own kafka-acls.sh.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON only.")
def kafka(
    broker: str | None,
    topics: TopicNames,
    processes: tuple[str, ...],
    applies: bool,
    passwords: Path | None,
    as_shell: bool,
    as_json: bool,
) -> None:
    """Print what each process needs on Kafka, or grant it."""
    rights = rights_of(processes or KAFKA_RIGHTS, topics)
    if passwords is not None and not applies:
        raise click.UsageError("--passwords needs --apply")
    if applies:
        address = known_address(broker, "broker")
        if passwords is not None:
            set_passwords(address, _read_passwords(passwords, "kafka", rights))
        click.echo(f"granted {grant(address, rights)} rights to {', '.join(rights)}")
    elif as_json:
        click.echo(msgspec.json.encode({user: [one._asdict() for one in found] for user, found in rights.items()}))
    elif as_shell:
        click.echo("\n".join(line for user, found in rights.items() for line in as_commands(user, found)))
    else:
        table = Table("user", "for", "resource", "operations")
        for user, found in rights.items():
            resources: dict[str, list[str]] = {}
            for one in found:
                place = f"{one.resource.lower()} {one.name}{'*' if one.prefixed else ''}"
                resources.setdefault(place, []).append(one.operation)
            for number, (resource, operations) in enumerate(resources.items()):
                first = (user, KAFKA_RIGHTS[user].about) if number == 0 else ("", "")
                table.add_row(*first, resource, ", ".join(operations), end_section=number == len(resources) - 1)
        Console().print(table)


@command.command()
@redis_prefix_option
@click.option(
    "--passwords", type=_passwords_type, metavar="FOLDER", help="Passwords in files redis-NAME: print an ACL file."
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the ACL file there."
)
def redis(redis_prefix: str, passwords: Path | None, output: Path | None) -> None:
    """Print the rules of each user of Redis, or the `aclfile` that Redis 7 or later reads."""
    rules = redis_rules(redis_prefix)
    if passwords is None:
        if output is not None:
            raise click.UsageError("--output needs --passwords")
        click.echo("\n".join(f"{user}: {rule}" for user, rule in rules.items()))
        return
    content = acl_file(_read_passwords(passwords, "redis", rules), redis_prefix)
    if output is None:
        sys.stdout.write(content)
    else:
        output.write_text(content)
        click.echo(f"wrote {len(rules)} users to {output}")


@command.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--host",
    "hosts",
    multiple=True,
    default=("kafka", "redis", "localhost", "127.0.0.1"),
    show_default=True,
    metavar="NAME",
    help="Names and addresses that the servers' certificates are valid for.",
)
def secrets(folder: Path, hosts: tuple[str, ...]) -> None:
    """Make passwords for all users and certificates for both servers, to begin with; what is there stays."""
    users = [*(f"kafka-{user}" for user in KAFKA_RIGHTS), *(f"redis-{user}" for user in redis_rules(""))]
    made = make_secrets(folder, users, SERVERS, hosts)
    click.echo(f"made {len(made)} files in {folder}" if made else f"all is there in {folder}")


def _read_passwords(folder: Path, kind: str, users: Iterable[str]) -> dict[str, str]:
    """The password of each user from the file KIND-USER; one without a file is an error, it would be left out."""
    return {user: resolved(f"the {kind} password of {user}", f"{FILE}{folder / f'{kind}-{user}'}") for user in users}
