"""Where a process serves its health pages and its metrics."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

P = ParamSpec("P")
R = TypeVar("R")


def web_host_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--web-host`; the command receives `web_host: str`."""
    return click.option(
        "--web-host",
        default="127.0.0.1",
        show_default=True,
        show_envvar=True,
        metavar="ADDRESS",
        help="Address that the pages are served on; they ask nobody for a password, so beyond this machine only where "
        "the network is closed, 0.0.0.0 in a container.",
    )(command)
