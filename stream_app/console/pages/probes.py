"""/healthz, /readyz and /metrics, for a supervisor and Prometheus."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from stream_app.console.console import Console


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        problem = console.feed.problem
        return JSONResponse({"ready": problem is None, "problem": problem}, 200 if problem is None else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(console.gauges.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
