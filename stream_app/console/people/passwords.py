"""Passwords as argon2id hashes."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
_OF_NOBODY = _hasher.hash("nobody has this one")
"""Checked for a name that nobody has, so that the answer takes as long as for one that somebody has."""


def hashed(password: str) -> str:
    """Return the hash to be kept, its salt inside."""
    return _hasher.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether a password is the one of a hash; with None it takes as long and is false."""
    try:
        _hasher.verify(kept or _OF_NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None
