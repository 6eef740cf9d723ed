"""/health: whether the model is well, what changed, and what the system did about it."""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stream_app.console.console import Console
from stream_app.console.health import dates, figures
from stream_app.console.health.chart import TITLES
from stream_app.console.health.kept_records import HealthDesk
from stream_app.console.health.small_multiple import HEIGHT, WIDTH
from stream_app.console.health.view import FIRST_SHOWN

_WORDS = {
    "day": dates.day,
    "percent": figures.percent,
    "with_interval": figures.with_interval,
    "significant": figures.significant,
}


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    desk = HealthDesk(console.feed)

    async def show(request: Request) -> Response:
        every = request.query_params.get("features") == "all"
        view = await run_in_threadpool(desk.view, None if every else FIRST_SHOWN)
        context = {
            "view": view,
            "chart": msgspec.to_builtins(view.chart),
            "every": every,
            "first_shown": FIRST_SHOWN,
            "titles": TITLES,
            "picture": {"width": WIDTH, "height": HEIGHT},
            **_WORDS,
        }
        return console.render(request, "health.html", context)

    return [Route("/health", show)]
