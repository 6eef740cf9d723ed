"""Tokens that only a page of ours can know, so that no other site can act in somebody's name."""

import hashlib
import hmac
from typing import Final

from markupsafe import Markup

FIELD: Final = "csrf_token"
HEADER: Final = "x-csrf-token"


class CsrfTokens:
    """Makes and checks the token of a visit.

    Parameters
    ----------
    secret: of the console.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"csrf:" + secret.encode()).digest()

    def token(self, visit: str) -> str:
        """Return the token of a session, or of a visit before one."""
        return hmac.new(self._key, visit.encode(), hashlib.sha256).hexdigest()

    def fits(self, visit: str, token: str) -> bool:
        """Whether a token is the visit's."""
        return hmac.compare_digest(self.token(visit).encode(), token.encode())

    def field(self, visit: str) -> Markup:
        """Return the hidden field for a form."""
        return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, self.token(visit))
