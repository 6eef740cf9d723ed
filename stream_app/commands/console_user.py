"""`fraudstream console-user`: who may come into the console."""

import os
import sys
import time
from pathlib import Path

import click

from models.audit.chain import Entry
from models.registry import Registry
from stream_app.commands.connection import AddressMissingError, known_address, redis_prefix_option
from stream_app.commands.console import accounts_file
from stream_app.commands.model_options import actor_option
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.role import Role


@click.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([role.word for role in Role]), help="What they may do.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
@click.option(
    "--accounts",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="FRAUDSTREAM_CONSOLE_ACCOUNTS",
    show_envvar=True,
    help="The file; by default console-users.json in the data folder.",
)
@actor_option
@redis_prefix_option
def command(name: str, role: str, password_stdin: bool, accounts: Path | None, actor: str, redis_prefix: str) -> None:
    """Add NAME, or give them another role and password; the console takes it in at once."""
    file = accounts_file(accounts)
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    )
    account = Accounts(file).made(name, Role.named(role), password, time.time_ns() // 1_000_000)
    told = _told(
        Entry("account", actor, f"{name} was added, or given another password", name, {"role": role}), redis_prefix
    )
    Accounts(file).keep(name, account)
    click.echo(f"{name} may come in as {role}; kept in {file}{told}")


def _told(entry: Entry, redis_prefix: str) -> str:
    """Write into the audit, where there is one: people may be added before anything runs."""
    try:
        address = known_address(os.environ.get("FRAUDSTREAM_REDIS"), "redis")
    except AddressMissingError:
        return "; not in the audit, for no Redis is known (FRAUDSTREAM_REDIS)"
    Registry(address, redis_prefix).log.append(entry)
    return ""
