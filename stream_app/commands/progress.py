"""What a long command shows while it works."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show the step at hand on stderr: moving on a terminal, a line each elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: click.echo(text, err=True)
        return
    with console.status("starting") as status:
        yield status.update
