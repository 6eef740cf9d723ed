"""The web pages of a watch process: one /healthz, /readyz and /metrics for all that runs in it."""

from collections.abc import Mapping
from typing import Protocol

import faust
from prometheus_client import CollectorRegistry

from stream_app.health import HealthServer

_REASONS = {
    "standby": "another process holds the lease",
    "restoring": "it reads again what its last holder has read",
}


class Part(Protocol):
    """A service that can say how it is."""

    def status(self) -> dict[str, object]:
        """Return what it is doing; `state` is "active" once it holds its lease."""

    def unhealthy(self) -> str | None:
        """Return why the process should be restarted, or None."""


class WatchPages(faust.Service):
    """Serves the pages while the process runs, standing by included.

    Parameters
    ----------
    host, port: where to listen; no port serves nothing.
    registry: metrics to show.
    parts: by name; the process is ready when one of them is active.
    """

    def __init__(self, host: str, port: int | None, registry: CollectorRegistry, parts: Mapping[str, Part]) -> None:
        self._parts = parts
        self._server = None if port is None else HealthServer(host, port, registry, self._unhealthy, self._state)
        super().__init__()

    async def on_start(self) -> None:
        """Listen."""
        if self._server is not None:
            await self._server.start()

    async def on_stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.stop()

    def _state(self) -> dict[str, object]:
        states = {name: part.status() for name, part in self._parts.items()}
        ready = any(state["state"] == "active" for state in states.values())
        waiting = "; ".join(
            f"{name}: {_REASONS.get(str(state['state']), state['state'])}" for name, state in states.items()
        )
        return {"ready": ready, "reason": None if ready else waiting, **states}

    def _unhealthy(self) -> str | None:
        return next((why for part in self._parts.values() if (why := part.unhealthy()) is not None), None)
