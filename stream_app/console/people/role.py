"""The roles, each of which may do what the ones below it may."""

from enum import IntEnum
from typing import Self

from models.errors import FraudstreamError


class UnknownRoleError(FraudstreamError):
    """Raised for a word that names no role."""


class Role(IntEnum):
    """Who may do what; ordered."""

    VIEWER = 1
    """Looks at everything; of a card sees the last four characters."""
    ANALYST = 2
    """Also states what was fraud."""
    APPROVER = 3
    """Also promotes and takes back models."""
    ADMIN = 4
    """Also says who the others are."""

    @property
    def word(self) -> str:
        """The role as people write it."""
        return self.name.lower()

    @classmethod
    def named(cls, word: str) -> Self:
        """Return the role of a word.

        Raises
        ------
        UnknownRoleError: naming the word and the roles there are.

        Examples
        --------
        >>> Role.named("analyst") < Role.APPROVER
        True
        """
        for role in cls:
            if role.word == word:
                return role
        raise UnknownRoleError(f"{word!r} is no role; there are {', '.join(role.word for role in cls)}")
