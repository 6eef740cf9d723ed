"""Wakes everybody who follows the feed, from another thread."""

import asyncio
import contextlib


class Bell:
    """Rung by any thread, heard on the event loop that it was hung up in."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: asyncio.Event | None = None
        self._pending = False
        self.closed = False
        """Whether everybody who waits is to go."""

    def hang_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say where it is heard."""
        self._loop, self._next = loop, asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who waits; before it hangs somewhere, and after the loop has ended, nobody does."""
        if self._loop is None or self._pending:
            return
        self._pending = True
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """Ring for the last time."""
        self.closed = True
        self._wake()

    async def heard(self, timeout_s: float) -> None:
        """Wait for the next ring, or until the time is over."""
        if self._next is None:
            raise RuntimeError("the bell hangs nowhere")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._next.wait(), timeout_s)

    def _wake(self) -> None:
        self._pending = False
        rung, self._next = self._next, asyncio.Event()
        if rung is not None:
            rung.set()
