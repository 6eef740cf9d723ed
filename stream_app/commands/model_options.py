"""Options that several `fraudstream models` commands share: who acts and why, and whose keys count."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from models.signing import AllowedSigners, SigningKey
from stream_app.commands.connection import data_folder

P = ParamSpec("P")
R = TypeVar("R")

json_option = click.option("--json", "json_only", is_flag=True, help="Print JSON only.")


def _user(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    if value:
        return value
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise click.UsageError("this system names no user: say who acts with --actor") from None


def actor_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--actor`; the command receives `actor: str`."""
    text = "Who acts, for the audit record; by default the user of this system."
    return click.option("--actor", envvar="FRAUDSTREAM_ACTOR", callback=_user, metavar="NAME", help=text)(command)


def reason_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--reason`, which must be given."""
    return click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit record.")(command)


def allowed_signers_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--allowed-signers`; the command receives `allowed_signers: Path | None`."""
    return click.option(
        "--allowed-signers",
        type=click.Path(path_type=Path),
        envvar="FRAUDSTREAM_ALLOWED_SIGNERS",
        show_envvar=True,
        metavar="FOLDER",
        help="Public keys whose models count; allowed-signers in the data folder by default.",
    )(command)


def signing_key_option_saying(text: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return what adds `--signing-key`, described as given; the command receives `signing_key: Path | None`."""
    return click.option(
        "--signing-key",
        type=click.Path(path_type=Path),
        envvar="FRAUDSTREAM_SIGNING_KEY",
        show_envvar=True,
        metavar="FILE",
        help=text,
    )


def signing_key_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--signing-key` of a command that signs models."""
    text = "Ed25519 key that signs; by default signing-key.pem in the data folder, made when there is none."
    return signing_key_option_saying(text)(command)


def signers(folder: Path | None) -> AllowedSigners:
    """Return the allowed signers of the folder given, else of the data folder."""
    return AllowedSigners.in_folder(folder or data_folder() / "allowed-signers")


def key_to_sign(path: Path | None) -> SigningKey:
    """Return the key given, which must exist, else the data folder's own, whose models this folder's scorers accept."""
    if path is not None:
        return SigningKey.load(path)
    key = SigningKey.load_or_create(data_folder() / "signing-key.pem")
    key.publish(data_folder() / "allowed-signers")
    return key
