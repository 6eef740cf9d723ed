"""The console as an ASGI app: its pages, and what guards them."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from models.errors import FraudstreamError
from stream_app.console.console import Console
from stream_app.console.guard.entrance import Entrance
from stream_app.console.guard.headers import SecurityHeaders
from stream_app.console.guard.request_meter import RequestMeter
from stream_app.console.pages import audit, events, health, models, now, people, probes, review, sign_in, transaction
from stream_app.console.static_files import VersionedFiles

log = logging.getLogger(__name__)

PAGES: Final[tuple[ModuleType, ...]] = (
    now,
    health,
    models,
    review,
    transaction,
    audit,
    events,
    people,
    sign_in,
    probes,
)
"""Modules with `routes(console)`; a new page is one line here."""


def build_app(console: Console) -> Starlette:
    """Return the app; nothing connects."""

    async def refused(request: Request, error: Exception) -> Response:
        code, said = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
        if "text/html" not in request.headers.get("accept", "") or not hasattr(request.state, "visit"):
            return JSONResponse({"error": said}, code)
        return console.render(request, "refused.html", {"code": code, "said": said}, code)

    async def away(request: Request, error: Exception) -> Response:
        """Something that the page needs is not there; strangers are not told what."""
        log.warning("%s cannot be shown: %s", request.url.path, error)
        known = getattr(request.state, "person", None) is not None
        said = str(error) if known else "The console lacks something that it needs; its log tells what."
        if "text/html" not in request.headers.get("accept", "") or not hasattr(request.state, "visit"):
            return JSONResponse({"error": said}, 503)
        return console.render(request, "unavailable.html", {"said": said}, 503)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await console.sessions.close()

    return Starlette(
        routes=[
            *(route for page in PAGES for route in page.routes(console)),
            Mount(f"/static/{console.static_folder}", VersionedFiles()),
        ],
        middleware=[
            Middleware(RequestMeter, gauges=console.gauges),
            Middleware(SecurityHeaders, secure=console.settings.secure),
            Middleware(Entrance, sessions=console.sessions, tokens=console.tokens, cookies=console.cookies),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: refused, FraudstreamError: away},
    )
