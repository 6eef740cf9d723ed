"""One console process: connects, reads the feed in threads, serves pages until it is told to stop."""

import asyncio
import gc
import logging
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from models.access.redis_access import async_redis_client
from models.registry import Registry
from stream_app.console.app import build_app
from stream_app.console.console import Console
from stream_app.console.feed.feed import Feed
from stream_app.console.gauges import ConsoleGauges
from stream_app.console.guard.csrf import CsrfTokens
from stream_app.console.guard.entrance import Cookies
from stream_app.console.now.pulse import Pulse
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.sessions import Sessions
from stream_app.console.records.times import time_text
from stream_app.console.review.bureau import Bureau
from stream_app.console.settings import ConsoleSettings
from stream_app.console.static_files import version
from stream_app.health import port_taken
from stream_app.process_metrics import add_process_metrics

log = logging.getLogger(__name__)

_REDIS_S = 1.0
"""Nobody waits longer for a page because Redis is away."""
_PARTING_S = 1
"""Open pages are let go after this time when the process ends; they come back by themselves."""


def make_console(settings: ConsoleSettings) -> Console:
    """Return what the pages are given; nothing connects yet."""
    accounts = Accounts(settings.accounts_file)
    sessions = Sessions(
        settings.secret,
        accounts,
        async_redis_client(settings.redis_url, socket_connect_timeout=_REDIS_S, socket_timeout=_REDIS_S),
        settings.redis_prefix,
        settings.idle_s,
        settings.absolute_s,
        time.time,
    )
    registry = Registry(settings.redis_url, settings.redis_prefix)
    feed = Feed(settings.broker, settings.topics, registry.log)
    return Console(
        settings=settings,
        feed=feed,
        registry=registry,
        bureau=Bureau.of(settings, registry, feed.tell),
        accounts=accounts,
        sessions=sessions,
        tokens=CsrfTokens(settings.secret),
        cookies=Cookies(settings.secure),
        gauges=ConsoleGauges(feed),
        templates=_templates(),
        static_folder=version(),
    )


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("stream_app.console"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["utc"] = time_text
    return environment


class _Server(uvicorn.Server):
    """Tells open pages at once when it is to end."""

    def __init__(self, config: uvicorn.Config, feed: Feed, pulse: Pulse, bureau: Bureau) -> None:
        super().__init__(config)
        self._feed, self._pulse, self._bureau = feed, pulse, bureau

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End by SIGTERM or Ctrl-C as every process here does, with 0: uvicorn would be killed by it in the end."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up the bell, begin to read, listen."""
        self._feed.bell.hang_up(asyncio.get_running_loop())
        self._feed.start()
        self._pulse.start()
        self._bureau.start()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let open pages go, stop listening, then reading."""
        self._feed.bell.close()
        await super().shutdown(sockets)
        await asyncio.to_thread(self._pulse.stop)
        await asyncio.to_thread(self._feed.stop)
        await asyncio.to_thread(self._bureau.stop)


def run_console(settings: ConsoleSettings) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises
    ------
    PortTakenError: the port is in use.
    """
    # Ten thousand records a second are looked at and gone: collections in between walk all there is and find nothing.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    console = make_console(settings)
    add_process_metrics(console.gauges.registry)
    listening = _listening(settings.web_host, settings.web_port)
    config = uvicorn.Config(
        build_app(console),
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=settings.tls_proxy,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        timeout_graceful_shutdown=_PARTING_S,
    )
    log.info("pages at %s", settings.address)
    pulse = Pulse(settings, console.feed, console.registry)
    _Server(config, console.feed, pulse, console.bureau).run([listening])


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise port_taken(host, port, error) from error
