"""/: what happens now."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from stream_app.console.console import Console
from stream_app.console.feed.feed import SCORE, TICK
from stream_app.console.now.pulse import last_tick
from stream_app.console.now.tick import SERIES
from stream_app.console.pages.events import shown

_SCORES = 50
_SECONDS = 600


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""

    async def show(request: Request) -> Response:
        role = request.state.person.role
        latest = [shown(entry, role) for entry in console.feed.journal(SCORE).latest(_SCORES)]
        return console.render(request, "now.html", {"scores": latest[::-1], "tick": last_tick(console.feed)})

    async def data(_request: Request) -> Response:
        ticks = [entry.data for entry in console.feed.journal(TICK).latest(_SECONDS)]
        return JSONResponse({name: [tick[name] for tick in ticks] for name in SERIES})

    return [Route("/", show), Route("/now/data", data)]
