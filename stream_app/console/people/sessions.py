"""Sessions: what the signed cookie says, until it is too old or was signed out of."""

import logging
import secrets
from collections.abc import Callable
from typing import Final

import msgspec
from itsdangerous import BadData, URLSafeSerializer
from redis.asyncio import Redis
from redis.exceptions import RedisError

from stream_app.console.people.accounts import Accounts
from stream_app.console.people.person import Person
from stream_app.console.people.role import Role, UnknownRoleError

log = logging.getLogger(__name__)

_SALT: Final = "session"
_AGAIN_S: Final = 2.0
"""A Redis that does not answer is not asked for each request."""
RENEW_S: Final = 60
"""The cookie is renewed when it was last used longer ago, not at every request."""


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """What the cookie holds.

    Attributes
    ----------
    session: random id.
    name: whose.
    role: its word; for a person of the accounts file the file's word counts.
    began_ms, used_s: when it was opened and last used.
    own: whether the person is in the accounts file, not an identity provider's.
    """

    session: str
    name: str
    role: str
    began_ms: int
    used_s: int
    own: bool


class Sessions:
    """Opens, reads and ends sessions.

    A session that was signed out of is kept in Redis until it would have ended by itself, so that every console that
    shares the secret honours it; this process remembers its own while Redis is away.

    Parameters
    ----------
    secret: signs the cookies.
    accounts: who is in the file.
    redis, prefix: where ended sessions are kept.
    idle_s, absolute_s: how long after its last use, and after its begin, a session ends.
    now: wall clock in s.
    """

    def __init__(
        self,
        secret: str,
        accounts: Accounts,
        redis: Redis,
        prefix: str,
        idle_s: float,
        absolute_s: float,
        now: Callable[[], float],
    ) -> None:
        self._serializer = URLSafeSerializer(secret, salt=_SALT)
        self._accounts = accounts
        self._redis = redis
        self._prefix = f"{prefix}console:ended:"
        self._idle_s, self._absolute_s, self._now = idle_s, absolute_s, now
        self._ended: dict[str, float] = {}
        self._away_until_s = 0.0

    def open(self, name: str, role: Role, *, own: bool) -> str:
        """Return the cookie of a new session."""
        now_s = self._now()
        return self._cookie(Ticket(secrets.token_urlsafe(16), name, role.word, int(now_s * 1000), int(now_s), own))

    async def read(self, cookie: str | None) -> tuple[Person, str | None] | None:
        """Return who a cookie is of, and the renewed cookie when it is time; None where it says nobody."""
        ticket = self._ticket(cookie)
        if ticket is None or await self._is_ended(ticket.session):
            return None
        role = self._role(ticket)
        if role is None:
            return None
        now_s = int(self._now())
        due = now_s - ticket.used_s >= RENEW_S
        renewed = self._cookie(msgspec.structs.replace(ticket, used_s=now_s)) if due else None
        return Person(ticket.name, role, ticket.session), renewed

    async def end(self, session: str) -> None:
        """Sign out: the session's cookie is worth nothing from now on."""
        now_s = self._now()
        self._ended = {one: until_s for one, until_s in self._ended.items() if until_s > now_s}
        self._ended[session] = now_s + self._absolute_s
        try:
            await self._redis.set(self._prefix + session, b"1", px=int(self._absolute_s * 1000))
        except (RedisError, OSError) as error:
            log.warning("only this console knows that a session has ended: %s", " ".join(str(error).split()))

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()

    def _cookie(self, ticket: Ticket) -> str:
        return str(self._serializer.dumps(msgspec.to_builtins(ticket)))

    def _ticket(self, cookie: str | None) -> Ticket | None:
        try:
            ticket = msgspec.convert(self._serializer.loads(cookie or ""), Ticket)
        except (BadData, msgspec.ValidationError):
            return None
        now_s = self._now()
        alive = now_s - ticket.used_s < self._idle_s and now_s - ticket.began_ms / 1000 < self._absolute_s
        return ticket if alive else None

    async def _is_ended(self, session: str) -> bool:
        if session in self._ended:
            return True
        if self._now() < self._away_until_s:
            return False
        try:
            return bool(await self._redis.exists(self._prefix + session))
        except (RedisError, OSError):
            # People are to see that Redis is away, and quickly; what this process ended stays ended.
            self._away_until_s = self._now() + _AGAIN_S
            return False

    def _role(self, ticket: Ticket) -> Role | None:
        """What they may do now: a change in the file holds at once, and ends the sessions from before it."""
        try:
            if not ticket.own:
                return Role.named(ticket.role)
            account = self._accounts.get(ticket.name)
            if account is None or account.disabled or account.changed_ms > ticket.began_ms:
                return None
            return Role.named(account.role)
        except UnknownRoleError:
            return None
