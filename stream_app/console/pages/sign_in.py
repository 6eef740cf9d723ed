"""/sign-in, /sign-out and /whoami."""

import math
import time
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stream_app.console.console import Console
from stream_app.console.guard.entrance import SIGN_IN
from stream_app.console.guard.threads import bounded
from stream_app.console.people.attempts import Attempts
from stream_app.console.people.doorkeeper import Answer, Doorkeeper
from stream_app.console.people.oidc import Oidc, OidcError
from stream_app.console.people.role import Role

_TRIP_S = 600
"""As long as a visit to the identity provider may take."""
_TARGET = "target"
_AT_ONCE = 4
"""Passwords take their time: whoever sends many leaves the threads of the pages alone."""


class SignIn:
    """The handlers.

    Parameters
    ----------
    console: what every page is given.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._door = Doorkeeper(
            console.accounts,
            Attempts(time.monotonic),
            Attempts(time.monotonic),
            console.registry,
            lambda outcome: console.gauges.sign_ins.labels(outcome).inc(),
        )
        self._in_thread = bounded(_AT_ONCE)
        oidc = console.settings.oidc
        self._oidc = None if oidc is None else Oidc(oidc, console.accounts)

    async def show(self, request: Request) -> Response:
        """Show the form."""
        target = own_page(request.query_params.get("next", ""))
        if request.state.person is not None:
            return RedirectResponse(target, 303)
        return self._form(request, target)

    async def enter(self, request: Request) -> Response:
        """Let somebody in by password."""
        form = await request.form()
        name, password, target = (str(form.get(field, "")) for field in ("name", "password", "next"))
        answer = await self._in_thread(self._door.enter, _address(request), name, password)
        if answer.role is None:
            return self._form(request, own_page(target), name, _why(answer), 429 if answer.wait_s else 403)
        return await self._entered(request, name, answer.role, own_page(target), own=True)

    async def leave(self, request: Request) -> Response:
        """End the session."""
        cookies = self._console.cookies
        await self._console.sessions.end(request.state.person.session)
        response = RedirectResponse(SIGN_IN, 303)
        response.headers.append("set-cookie", cookies.header(cookies.session, ""))
        return response

    async def to_provider(self, request: Request) -> Response:
        """Send somebody to the identity provider."""
        if self._oidc is None:
            return RedirectResponse(SIGN_IN, 303)
        request.session[_TARGET] = own_page(request.query_params.get("next", ""))
        try:
            return await self._oidc.leave(request, str(request.url_for("from_provider")))
        except OidcError as error:
            return self._form(request, "/", "", str(error), 502)

    async def from_provider(self, request: Request) -> Response:
        """Let somebody in whom the identity provider knows."""
        if self._oidc is None:
            return RedirectResponse(SIGN_IN, 303)
        address = _address(request)
        try:
            name, role = await self._oidc.come_back(request)
        except OidcError as error:
            why = str(error)
            await run_in_threadpool(self._door.turn_away, address, why)
            return self._form(request, "/", "", f"You were not let in: {why}", 403)
        note = partial(self._door.note, entered=True, role=role.word)
        await run_in_threadpool(note, name, "identity provider", address)
        return await self._entered(request, name, role, own_page(request.session.pop(_TARGET, "/")), own=False)

    async def _entered(self, request: Request, name: str, role: Role, target: str, *, own: bool) -> Response:
        cookies = self._console.cookies
        if request.state.person is not None:  # of whom no cookie would be left to sign out with
            await self._console.sessions.end(request.state.person.session)
        response = RedirectResponse(target, 303)
        session = self._console.sessions.open(name, role, own=own)
        response.headers.append("set-cookie", cookies.header(cookies.session, session))
        response.headers.append("set-cookie", cookies.header(cookies.visit, ""))
        return response

    def _form(
        self, request: Request, target: str, name: str = "", wrong: str | None = None, status_code: int = 200
    ) -> Response:
        said = {"next": target, "name": name, "wrong": wrong, "provider": self._oidc is not None}
        return self._console.render(request, "sign_in.html", said, status_code)


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    page = SignIn(console)
    # The state of the trip to the provider travels in a cookie of its own, signed and short-lived.
    trip = Middleware(
        SessionMiddleware,
        secret_key=console.settings.secret,
        session_cookie="fraudstream-trip",
        max_age=_TRIP_S,
        same_site="lax",
        https_only=console.settings.secure,
    )
    return [
        Route(SIGN_IN, page.show),
        Route(SIGN_IN, page.enter, methods=["POST"]),
        Route("/sign-out", page.leave, methods=["POST"]),
        Route("/whoami", whoami),
        Route(f"{SIGN_IN}/provider", page.to_provider, middleware=[trip]),
        Route(f"{SIGN_IN}/from-provider", page.from_provider, name="from_provider", middleware=[trip]),
    ]


async def whoami(request: Request) -> Response:
    """Tell a script that its session is alive, and whose it is."""
    return JSONResponse({"name": request.state.person.name, "role": request.state.person.role.word})


def own_page(target: str) -> str:
    """Return where to go after signing in: a page of ours, and no other site's.

    Examples
    --------
    >>> own_page("/health?week=3"), own_page("//elsewhere"), own_page("https://elsewhere")
    ('/health?week=3', '/', '/')
    """
    ours = target.startswith("/") and not target.startswith(("//", SIGN_IN)) and "\\" not in target
    return target if ours and target.isprintable() else "/"


def _why(answer: Answer) -> str:
    if not answer.wait_s:
        return "Name or password is wrong."
    return f"Too many wrong passwords. Try again in {math.ceil(answer.wait_s / 60)} minutes."


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "unknown"
