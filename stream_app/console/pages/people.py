"""/people: who may come in, for admins."""

import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.audit.chain import Entry
from models.errors import FraudstreamError
from models.schema.audit_record import Detail
from stream_app.console.console import Console
from stream_app.console.guard.requires import requires
from stream_app.console.people.accounts import Account
from stream_app.console.people.person import Person
from stream_app.console.people.role import Role


class PeoplePage:
    """The handlers.

    Parameters
    ----------
    console: what every page is given.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, request: Request, wrong: str | None = None) -> Response:
        """List everybody."""
        people = sorted(self._console.accounts.all().items())
        return self._console.render(request, "people.html", {"people": people, "wrong": wrong}, 400 if wrong else 200)

    async def change(self, request: Request, what: Callable[[Person, FormData], None]) -> Response:
        """Change something and come back; what cannot be done is said on the page."""
        form = await request.form()
        try:
            await run_in_threadpool(what, request.state.person, form)
        except FraudstreamError as error:
            return await run_in_threadpool(self.show, request, str(error))
        return RedirectResponse("/people", 303)

    def put(self, by: Person, form: FormData) -> None:
        """Add somebody, or give them another password."""
        name, role = _text(form, "name"), Role.named(_text(form, "role"))
        self._not_oneself(by, name, role)
        account = self._console.accounts.made(name, role, _text(form, "password"), _now_ms())
        self._keep(by, name, account, "added, or given another password")

    def give_role(self, by: Person, form: FormData) -> None:
        """Give somebody another role."""
        name, role = _text(form, "name"), Role.named(_text(form, "role"))
        self._not_oneself(by, name, role)
        account = self._console.accounts.changed(name, _now_ms(), role=role)
        self._keep(by, name, account, f"given the role {role.word}")

    def disable(self, by: Person, form: FormData) -> None:
        """Keep somebody out, or let them in again."""
        name, disabled = _text(form, "name"), _text(form, "disabled") == "yes"
        self._not_oneself(by, name, None)
        account = self._console.accounts.changed(name, _now_ms(), disabled=disabled)
        self._keep(by, name, account, "kept out" if disabled else "let in again")

    def _not_oneself(self, by: Person, name: str, role: Role | None) -> None:
        """Whoever could lock themselves out could leave nobody who lets them in again."""
        if name == by.name and role is not Role.ADMIN:
            raise FraudstreamError("another admin has to do this: nobody takes their own rights")

    def _keep(self, by: Person, name: str, account: Account, what: str) -> None:
        """Into the audit first: what cannot be written down is not done."""
        details: dict[str, Detail] = {"role": account.role, "disabled": account.disabled}
        self._console.registry.log.append(Entry("account", by.name, f"{name} was {what}", name, details))
        self._console.accounts.keep(name, account)


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    page = PeoplePage(console)

    @requires(Role.ADMIN)
    async def show(request: Request) -> Response:
        return await run_in_threadpool(page.show, request)

    @requires(Role.ADMIN)
    async def change(request: Request) -> Response:
        changes = {"put": page.put, "role": page.give_role, "disable": page.disable}
        what = changes.get(request.path_params["what"])
        if what is None:
            raise HTTPException(404, "There is nothing of the kind to change.")
        return await page.change(request, what)

    return [Route("/people", show), Route("/people/{what}", change, methods=["POST"])]


def _text(form: FormData, name: str) -> str:
    return str(form.get(name, "")).strip()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
