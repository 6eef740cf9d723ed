"""The links at the top of every page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.routing import BaseRoute, Route

from stream_app.console.people.person import Person
from stream_app.console.people.role import Role


@dataclass(frozen=True, slots=True)
class Link:
    """A page and who may see it."""

    text: str
    path: str
    role: Role = Role.VIEWER


LINKS: Final = (
    Link("Now", "/"),
    Link("Health", "/health"),
    Link("Models", "/models"),
    Link("Review", "/review"),
    Link("Transaction", "/transaction"),
    Link("Audit", "/audit"),
    Link("People", "/people", Role.ADMIN),
)


def links(routes: Iterable[BaseRoute], person: Person | None) -> list[Link]:
    """Return the links that a person sees: to pages that there are and that they may see."""
    there = {route.path for route in routes if isinstance(route, Route)}
    return [link for link in LINKS if person is not None and person.may(link.role) and link.path in there]
