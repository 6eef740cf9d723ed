"""Says who a request comes from, sends strangers to the sign-in page, and refuses what no page of ours sent."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import FraudstreamError
from stream_app.console.guard.csrf import FIELD, HEADER, CsrfTokens
from stream_app.console.people.person import Person
from stream_app.console.people.sessions import Sessions

log = logging.getLogger(__name__)

OPEN: Final = ("/static/", "/healthz", "/readyz", "/metrics", "/favicon.ico")
"""For everybody; nobody's name is looked at."""
SIGN_IN: Final = "/sign-in"
SILENT: Final = "/events"
LIVE: Final = "x-live"
"""Header of what a page that only stands open asks by itself: no use of a session, which would else never end."""
LONGEST_BODY: Final = 64 * 1024
"""No form of ours is nearly as long, and strangers may send one to the sign-in page."""
_MOST_FIELDS: Final = 100
_SAFE: Final = frozenset({"GET", "HEAD"})
_NOBODY: Final = "The console cannot say who people are; its log tells why."
_TO_SIGN_IN_AGAIN: Final = "your session has ended; sign in again"


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and attributes of the cookies.

    Attributes
    ----------
    secure: whether they travel by TLS only.
    """

    secure: bool

    @property
    def session(self) -> str:
        """The cookie of somebody who is signed in."""
        return f"{self._prefix}fraudstream-session"

    @property
    def visit(self) -> str:
        """The cookie of somebody who is not yet."""
        return f"{self._prefix}fraudstream-visit"

    def header(self, name: str, value: str) -> str:
        """Return the Set-Cookie header; an empty value removes it."""
        ends = "" if value else "; Max-Age=0"
        return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if self.secure else ''}{ends}"

    @property
    def _prefix(self) -> str:
        return "__Host-" if self.secure else ""


class Entrance:
    """Sets `request.state.person` (None on the sign-in page) and `request.state.visit`.

    Parameters
    ----------
    app: what answers.
    sessions, tokens, cookies: how people and pages are known.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, tokens: CsrfTokens, cookies: Cookies) -> None:
        self._app, self._sessions, self._tokens, self._cookies = app, sessions, tokens, cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http" or scope["path"].startswith(OPEN):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            found = await self._sessions.read(request.cookies.get(self._cookies.session))
        except FraudstreamError as error:
            log.warning("nobody can be let in: %s", error)
            await PlainTextResponse(_NOBODY, 503)(scope, receive, send)
            return
        person, renewed = found or (None, None)
        cookies = []
        if renewed is not None and scope["path"] != SILENT and LIVE not in request.headers:
            cookies.append(self._cookies.header(self._cookies.session, renewed))
        visit = person.session if person is not None else request.cookies.get(self._cookies.visit)
        if visit is None:
            visit = secrets.token_urlsafe(16)
            cookies.append(self._cookies.header(self._cookies.visit, visit))
        scope.setdefault("state", {}).update(person=person, visit=visit)
        refusal, receive = await self._refusal(request, person, visit, receive)
        await (refusal or self._app)(scope, receive, _with_cookies(send, cookies))

    async def _refusal(
        self, request: Request, person: Person | None, visit: str, receive: Receive
    ) -> tuple[Response | None, Receive]:
        # The path by which the router chooses: the one of `request.url` is made with the Host header that was sent.
        if person is None and not f"{request.scope['path']}/".startswith(f"{SIGN_IN}/"):
            return _stranger(request), receive
        if request.method in _SAFE:
            return None, receive
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return PlainTextResponse("sent by another site; go back and try again", 403), receive
        body = await _body(receive)
        if body is None:
            return PlainTextResponse(f"more than {LONGEST_BODY} bytes are not taken", 413), receive
        if not self._tokens.fits(visit, _token(request.headers, body)):
            return PlainTextResponse("this page is out of date; go back, reload it and try again", 403), receive
        return None, _replay(body, receive)


def _stranger(request: Request) -> Response:
    # A script that asks for a part of a page must not put the sign-in page into it.
    by_script = request.headers.get("sec-fetch-mode", "navigate") != "navigate"
    if "text/html" in request.headers.get("accept", "") and not by_script:
        if request.method != "GET":
            return RedirectResponse(SIGN_IN, 303)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{SIGN_IN}?next={quote(request.url.path + query, safe='')}", 303)
    return JSONResponse({"error": _TO_SIGN_IN_AGAIN}, 401)


async def _body(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > LONGEST_BODY:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _token(headers: Headers, body: bytes) -> str:
    given = headers.get(HEADER)
    if given is not None:
        return given
    if headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return ""
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS).get(FIELD, [""])[0]
    except ValueError:
        return ""


def _replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_cookies(send: Send, cookies: list[str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            names = {value.partition("=")[0] for value in headers.getlist("set-cookie")}
            for cookie in cookies:
                if cookie.partition("=")[0] not in names:  # signing in or out has the last word
                    headers.append("set-cookie", cookie)
        await send(message)

    return sending
