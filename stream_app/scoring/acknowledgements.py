"""Which offsets of a partition are done: everything sent for them, and for all before them, is acknowledged."""

import asyncio
from collections import deque
from collections.abc import Callable


class _Sent:
    __slots__ = ("next_offset", "open")

    def __init__(self) -> None:
        self.next_offset = 0
        self.open = 0


class Acknowledgements:
    """Follows the sends of one partition in order.

    Parameters
    ----------
    position:
        The first offset that is not yet done; it never goes back, whatever is replayed below it.
    failed:
        Called with the exception of a send that failed; it must end the process.
    """

    def __init__(self, position: int, failed: Callable[[BaseException], None]) -> None:
        self.position = position
        self._failed = failed
        self._sent: deque[_Sent] = deque()
        self._held = _Sent()
        self._moved = asyncio.Event()

    def hold(self, sends: list[asyncio.Future[object]]) -> None:
        """More is to be sent for the same offsets: these sends count with those of the next `expect`."""
        self._follow(self._held, sends)

    def expect(self, next_offset: int, sends: list[asyncio.Future[object]]) -> None:
        """The offsets below `next_offset` are done once these sends, and all earlier ones, are acknowledged."""
        entry, self._held = self._held, _Sent()
        entry.next_offset = next_offset
        self._follow(entry, sends)
        self._sent.append(entry)
        self._advance()

    def _follow(self, entry: _Sent, sends: list[asyncio.Future[object]]) -> None:
        entry.open += len(sends)
        for send in sends:
            send.add_done_callback(lambda future: self._acknowledged(entry, future))

    async def reached(self, offset: int) -> None:
        """Wait until every offset below this one is done."""
        while self.position < offset:
            self._moved.clear()
            await self._moved.wait()

    async def settled(self) -> None:
        """Wait until nothing that was sent is open."""
        while self._sent or self._held.open:
            self._moved.clear()
            await self._moved.wait()

    def _acknowledged(self, entry: _Sent, future: asyncio.Future[object]) -> None:
        if future.cancelled():
            self._failed(asyncio.CancelledError("a send was cancelled"))
        elif error := future.exception():
            self._failed(error)
        else:
            entry.open -= 1
            self._advance()

    def _advance(self) -> None:
        while self._sent and self._sent[0].open == 0:
            self.position = max(self.position, self._sent.popleft().next_offset)
        self._moved.set()
