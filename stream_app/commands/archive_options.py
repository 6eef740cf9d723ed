"""Where the archive is: options of every command that reads or writes it."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from stream_app.commands.connection import data_folder

P = ParamSpec("P")
R = TypeVar("R")


def _pairs(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    wrong = [value for value in values if "=" not in value]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not KEY=VALUE")
    return {name: text for name, _, text in (value.partition("=") for value in values)}


def archive_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--archive`; the command receives `archive: str | None`, see `archive_url`."""
    return click.option(
        "--archive",
        envvar="FRAUDSTREAM_ARCHIVE",
        show_envvar=True,
        metavar="URL",
        help="Folder or object-store URL of the archive's tables; by default `archive` in the data folder.",
    )(command)


def storage_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--storage-option`; the command receives `storage_options: dict[str, str]`."""
    return click.option(
        "--storage-option",
        "storage_options",
        multiple=True,
        metavar="KEY=VALUE",
        callback=_pairs,
        help="What the archive's object store asks for; may be given more than once.",
    )(command)


def archive_url(given: str | None) -> str:
    """Return the URL given, else the default."""
    return given or str(data_folder() / "archive")
