"""Counts requests and times them, by class of their status: an address is no label, for anybody may ask for any."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_app.console.gauges import ConsoleGauges
from stream_app.console.guard.entrance import SILENT


class RequestMeter:
    """Lets everything pass; what only stands open has a gauge of its own.

    Parameters
    ----------
    app: what answers.
    gauges: where it is counted.
    """

    def __init__(self, app: ASGIApp, gauges: ConsoleGauges) -> None:
        self._app, self._gauges = app, gauges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http" or scope["path"] == SILENT:
            await self._app(scope, receive, send)
            return
        began_s, status = time.perf_counter(), 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            self._gauges.see_request(status, time.perf_counter() - began_s)
