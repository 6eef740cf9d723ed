"""What every page is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse

from models.registry import Registry
from stream_app.console.feed.feed import Feed
from stream_app.console.feed.thread_place import written
from stream_app.console.gauges import ConsoleGauges
from stream_app.console.guard.csrf import CsrfTokens
from stream_app.console.guard.entrance import Cookies
from stream_app.console.navigation import links
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.role import Role
from stream_app.console.people.sessions import Sessions
from stream_app.console.review.bureau import Bureau
from stream_app.console.settings import ConsoleSettings


@dataclass(frozen=True, slots=True)
class Console:
    """Everything that a page may ask for.

    Attributes
    ----------
    settings: what the process was started with.
    feed: what came last, and the bell.
    registry: models, aliases and audit; its calls block, so run them in a thread.
    bureau: cases, claims, verdicts and searches; its calls block as well.
    accounts, sessions, tokens, cookies: who people are.
    gauges: what Prometheus is shown.
    templates: of the pages.
    static_folder: version of the files that pages load, part of their address.
    """

    settings: ConsoleSettings
    feed: Feed
    registry: Registry
    bureau: Bureau
    accounts: Accounts
    sessions: Sessions
    tokens: CsrfTokens
    cookies: Cookies
    gauges: ConsoleGauges
    templates: Environment
    static_folder: str

    def render(
        self, request: Request, name: str, context: Mapping[str, Any] | None = None, status_code: int = 200
    ) -> HTMLResponse:
        """Return a page: its template, with what `page.html` needs beside what the handler gives."""
        person, visit = request.state.person, request.state.visit
        place = {kind: self.feed.journal(kind).place() for kind in self.feed.kinds}
        frame = {
            "person": person,
            "role": None if person is None else person.role,
            "Role": Role,
            "links": links(request.app.routes, person),
            "path": request.url.path,
            "csrf_token": self.tokens.token(visit),
            "csrf_field": lambda: self.tokens.field(visit),
            "static": self.static,
            "feed_place": written({kind: offsets for kind, offsets in place.items() if offsets}),
            "problem": self.feed.problem,
        }
        text = self.templates.get_template(name).render({**frame, **(context or {})})
        return HTMLResponse(text, status_code)

    def static(self, name: str) -> str:
        """Return the address of a file of `static`."""
        return f"/static/{self.static_folder}/{name}"
