"""Marks a handler with the role it needs."""

import functools
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stream_app.console.people.role import Role

Handler = Callable[[Request], Awaitable[Response]]


def requires(role: Role) -> Callable[[Handler], Handler]:
    """Refuse whoever may not do what `role` may."""

    def guarded(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def check(request: Request) -> Response:
            person = request.state.person
            if person is None or not person.may(role):
                raise HTTPException(403, f"This needs the role {role.word}; ask an admin for it.")
            return await handler(request)

        return check

    return guarded
