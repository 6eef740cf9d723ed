"""TLS in front of a server that speaks none itself: a door that decrypts and passes on."""

import asyncio
import ssl
import threading
from pathlib import Path
from typing import Self

from stream_app.stack.port import LOOPBACK


class TlsDoor:
    """Listens until the end of a `with`.

    Parameters
    ----------
    inner_port: of the server on this machine.
    certificate, key: what it shows.
    """

    def __init__(self, inner_port: int, certificate: Path, key: Path) -> None:
        self._inner_port = inner_port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._loop = asyncio.new_event_loop()
        self._open = threading.Event()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._open.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        server = await asyncio.start_server(self._pass, LOOPBACK, 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        self._open.set()
        await self._closing.wait()
        server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass(self, outer: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        inner, on = await asyncio.open_connection(LOOPBACK, self._inner_port)
        try:
            await asyncio.gather(_pump(outer, on), _pump(inner, back))
        finally:
            on.close()
            back.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    target.close()
