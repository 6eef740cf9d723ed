"""/: what happens now."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stream_app.console.console import Console
from stream_app.console.feed.feed import SCORE
from stream_app.console.pages.events import shown

_SHOWN = 50


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""

    async def show(request: Request) -> Response:
        role = request.state.person.role
        latest = [shown(entry, role) for entry in console.feed.journal(SCORE).latest(_SHOWN)]
        return console.render(request, "now.html", {"scores": latest[::-1]})

    return [Route("/", show)]
