"""Lets people in, and writes into the audit whom it let in and whom it did not."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from models.audit.chain import Entry
from models.errors import FraudstreamError
from models.registry import Registry
from models.schema.audit_record import Detail
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.attempts import Attempts
from stream_app.console.people.role import Role

log = logging.getLogger(__name__)

_SUBJECT = "console"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try.

    Attributes
    ----------
    role: what they may do; None where they are not let in.
    wait_s: how long nothing more is heard from them.
    """

    role: Role | None
    wait_s: float = 0.0


class Doorkeeper:
    """Checks passwords; blocks, so it is called in a thread.

    Parameters
    ----------
    accounts: who is known.
    attempts: who guesses.
    registry: whose audit is written.
    counted: is told the outcome of each try.
    """

    def __init__(
        self, accounts: Accounts, attempts: Attempts, registry: Registry, counted: Callable[[str], None]
    ) -> None:
        self._accounts, self._attempts, self._registry, self._counted = accounts, attempts, registry, counted

    def enter(self, address: str, name: str, password: str) -> Answer:
        """Let somebody in by password, or not.

        A name that nobody has is counted as one name: the audit and the memory are not to be filled with guesses.
        """
        known = name if self._accounts.get(name) is not None else "unknown name"
        wait_s = self._attempts.wait_s(address, known)
        if wait_s:
            return Answer(None, wait_s)
        account = self._accounts.verified(name, password)
        if account is None:
            self._attempts.failed(address, known)
            wait_s = self._attempts.wait_s(address, known)
            reason = "too many wrong passwords: kept out for some minutes" if wait_s else "wrong name or password"
            self.note(known, reason, address, entered=False)
            return Answer(None, wait_s)
        self._attempts.succeeded(address, known)
        self.note(name, "password", address, entered=True, role=account.role)
        return Answer(Role.named(account.role))

    def note(self, name: str, reason: str, address: str, *, entered: bool, role: str | None = None) -> None:
        """Write into the audit that somebody came in or was kept out; while Redis is away, into the log alone."""
        said = "entered" if entered else "refused"
        self._counted(said)
        log.info("sign-in %s: %s from %s: %s", said, name, address, reason)
        details: dict[str, Detail] = {"outcome": said, "address": address, "role": role}
        try:
            self._registry.log.append(Entry("login", name, reason, _SUBJECT, details))
        except FraudstreamError as error:
            log.warning("the audit does not tell of it: %s", error)
