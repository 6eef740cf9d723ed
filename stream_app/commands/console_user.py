"""`fraudstream console-user`: who may come into the console."""

import sys
import time
from pathlib import Path

import click

from stream_app.commands.console import accounts_file
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
def command(name: str, role: str, password_stdin: bool, accounts: Path | None) -> None:
    """Add NAME, or give them another role and password; the console takes it in at once."""
    file = accounts_file(accounts)
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    )
    Accounts(file).put(name, Role.named(role), password, time.time_ns() // 1_000_000)
    click.echo(f"{name} may come in as {role}; kept in {file}")
