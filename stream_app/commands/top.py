"""`fraudstream top`: the system at a glance in a terminal."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Final

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from models.schema.topics import TopicNames
from stream_app.commands.connection import connection_options, redis_prefix_option, topic_prefix_option
from stream_app.top.look import Look
from stream_app.top.screen import HISTORY, screen

EVERY_S: Final = 1.0


@click.command()
@connection_options
@topic_prefix_option
@redis_prefix_option
@click.option("--once", is_flag=True, help="Print one picture and end; it takes a second, for the rates.")
def command(broker: str, redis_url: str, topics: TopicNames, redis_prefix: str, once: bool) -> None:
    """Show throughput, lag, workers, models, alerts, latency and the last findings, each second; Ctrl-C ends.

    Rates come from offsets, the rest from the last 50 scores of each partition: it costs the same at any rate.
    """
    console = Console()
    with Look(broker, redis_url, topics, redis_prefix) as look, suppress(KeyboardInterrupt):
        if once:
            look.take()
            time.sleep(EVERY_S)
            console.print(screen(look.take(), [], broker))
        else:
            _follow(look, console, broker)


def _follow(look: Look, console: Console, broker: str) -> None:
    """Draw anew each second, in a pipe one picture below the other."""
    history: deque[float] = deque(maxlen=HISTORY)
    with ExitStack() as stack:
        show: Callable[[RenderableType], None] = console.print
        if console.is_terminal:
            live = stack.enter_context(Live(Text("looking"), console=console, auto_refresh=False, screen=True))
            show = partial(live.update, refresh=True)
        while True:
            began_s = time.monotonic()
            picture = look.take()
            if picture.scored_per_s is not None:
                history.append(picture.scored_per_s)
            show(screen(picture, list(history), broker))
            time.sleep(max(0.0, EVERY_S - (time.monotonic() - began_s)))
