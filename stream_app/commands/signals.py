"""What a command does when it is told to end."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_signals(end: Callable[[int], None]) -> Iterator[None]:
    """Call `end` with the number of each SIGINT and SIGTERM that comes within; what it raises ends what is running."""

    def handle(number: int, _frame: FrameType | None) -> None:
        end(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
