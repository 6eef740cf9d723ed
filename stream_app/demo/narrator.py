"""What a person sees while a demo runs: a line per step with the time gone, and one moving line while events flow."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

REFRESH_PER_S = 4
LINE_EVERY_S = 5.0
"""Where there is no terminal, the moving line is printed so often."""


class Narrator:
    """Tells a story on a console.

    Parameters
    ----------
    console
        Where to; stderr, so that stdout holds results alone.
    clock_s
        A clock in seconds; time is counted from now on.
    """

    def __init__(self, console: Console, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock_s = clock_s
        self._started_s = clock_s()
        self._shown_s = float("-inf")
        self._live: Live | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return self._clock_s() - self._started_s

    def say(self, text: str) -> None:
        """Tell a step."""
        self._print(text, "bold")

    def add(self, text: str) -> None:
        """Tell something about the step before."""
        line = Text("          ")
        line.append(text)
        self._console.print(line, soft_wrap=True)

    @contextmanager
    def flow(self) -> Iterator[None]:
        """Keep a line moving at the bottom while the block runs; `show` says what stands there."""
        self._shown_s = self._clock_s()
        if not self._console.is_terminal:
            yield
            return
        with Live(Text(), console=self._console, refresh_per_second=REFRESH_PER_S, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def show(self, text: str) -> None:
        """Put a text into the moving line."""
        if self._live is not None:
            self._live.update(self._line(text, "cyan"))
        elif self._clock_s() - self._shown_s >= LINE_EVERY_S:
            self._shown_s = self._clock_s()
            self._print(text, "cyan")

    def _print(self, text: str, style: str) -> None:
        self._console.print(self._line(text, style), soft_wrap=True)

    def _line(self, text: str, style: str) -> Text:
        return Text.assemble((f"{self.elapsed_s:6.1f} s  ", "dim"), (text, style))
