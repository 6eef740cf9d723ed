"""Threads for what takes its time: a few, so that the others stay free for pages that only read memory."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, ParamSpec, Protocol, TypeVar

from anyio import CapacityLimiter, to_thread

MOST_SEARCHES: Final = 8
"""Of the forty threads that Starlette has: searches of Kafka and the archive last seconds."""
P = ParamSpec("P")
T = TypeVar("T")


class InThread(Protocol):
    """Calls what blocks, in a thread."""

    def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Return what the call returns."""
        ...


def bounded(at_once: int) -> InThread:
    """Return what runs at most so many calls at a time; the others wait, and hold no thread meanwhile."""
    limiter = CapacityLimiter(at_once)

    async def run(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await to_thread.run_sync(partial(call, *args, **kwargs), limiter=limiter)

    return run
