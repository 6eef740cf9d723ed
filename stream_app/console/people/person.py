"""Somebody who is signed in."""

from dataclasses import dataclass

from stream_app.console.people.role import Role


@dataclass(frozen=True, slots=True)
class Person:
    """Who a request comes from.

    Attributes
    ----------
    name: as in the audit.
    role: what they may do.
    session: id of their session.
    """

    name: str
    role: Role
    session: str

    def may(self, role: Role) -> bool:
        """Whether they may do what a role may."""
        return self.role >= role
