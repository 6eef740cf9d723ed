"""/sign-in, /sign-out and /whoami."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stream_app.console.console import Console
from stream_app.console.guard.entrance import SIGN_IN
from stream_app.console.people.role import Role

_WRONG = "Name or password is wrong."


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    cookies = console.cookies

    async def show(request: Request) -> Response:
        if request.state.person is not None:
            return RedirectResponse(_next(request.query_params.get("next", "")), 303)
        return console.render(request, "sign_in.html", {"next": _next(request.query_params.get("next", ""))})

    async def enter(request: Request) -> Response:
        form = await request.form()
        name, password, target = (str(form.get(field, "")) for field in ("name", "password", "next"))
        account = await run_in_threadpool(console.accounts.verified, name, password)
        if account is None:
            return console.render(
                request, "sign_in.html", {"next": _next(target), "name": name, "wrong": _WRONG}, status_code=403
            )
        response = RedirectResponse(_next(target), 303)
        cookie = console.sessions.open(name, Role.named(account.role), own=True)
        response.headers.append("set-cookie", cookies.header(cookies.session, cookie))
        response.headers.append("set-cookie", cookies.header(cookies.visit, ""))
        return response

    async def whoami(request: Request) -> Response:
        return JSONResponse({"name": request.state.person.name, "role": request.state.person.role.word})

    async def leave(request: Request) -> Response:
        await console.sessions.end(request.state.person.session)
        response = RedirectResponse(SIGN_IN, 303)
        response.headers.append("set-cookie", cookies.header(cookies.session, ""))
        return response

    return [
        Route(SIGN_IN, show),
        Route(SIGN_IN, enter, methods=["POST"]),
        Route("/whoami", whoami),
        Route("/sign-out", leave, methods=["POST"]),
    ]


def _next(target: str) -> str:
    """Return where to go after signing in: a page of ours, and no other site's."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\", SIGN_IN)) else "/"
