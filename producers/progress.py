"""One line on the terminal that says how far a producer has come."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

_REFRESH_PER_S = 4


@contextmanager
def progress_line(say: Callable[[float], str], clock_s: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Show on stderr, while the block runs, what `say` makes of the seconds gone; nothing where that is no terminal."""
    started_s = clock_s()
    with Live(
        get_renderable=lambda: Text(say(max(clock_s() - started_s, 1e-9))),
        console=Console(stderr=True),
        refresh_per_second=_REFRESH_PER_S,
        transient=True,
    ):
        yield
