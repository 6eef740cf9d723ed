"""/healthz, /readyz and /metrics of a process."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from models.errors import FraudstreamError


class PortTakenError(FraudstreamError):
    """Raised when the port of the web pages cannot be listened on."""


def port_taken(host: str, port: int, error: OSError) -> PortTakenError:
    """Return what is said of a port that the system refused."""
    return PortTakenError(f"port {port} of {host} cannot be listened on ({error.strerror}); give another --web-port")


class HealthServer:
    """Serves what a supervisor and Prometheus ask.

    Parameters
    ----------
    host, port:
        Where to listen.
    registry:
        Metrics to show.
    unhealthy:
        Says why the process should be restarted, or None.
    state:
        What the process is doing; it is ready when `ready` is true in it.
    """

    def __init__(
        self,
        host: str,
        port: int,
        registry: CollectorRegistry,
        unhealthy: Callable[[], str | None],
        state: Callable[[], dict[str, object]],
    ) -> None:
        self._host = host
        self._port = port
        self._registry = registry
        self._unhealthy = unhealthy
        self._state = state
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen; raises PortTakenError when the port is in use."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            raise port_taken(self._host, self._port, error) from error

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        why = self._unhealthy()
        return web.json_response({"status": why or "ok"}, status=503 if why else 200)

    async def _readyz(self, _request: web.Request) -> web.Response:
        state = self._state()
        return web.json_response(state, status=200 if state["ready"] else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
