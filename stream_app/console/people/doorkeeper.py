"""Lets people in, and writes into the audit whom it let in and whom it did not."""

import logging
import threading
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
_PROVIDER = "identity provider"
_LONGEST_REASON = 200


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
    strays: who comes back from the identity provider with what lets nobody in.
    registry: whose audit is written.
    counted: is told the outcome of each try.
    """

    def __init__(
        self,
        accounts: Accounts,
        attempts: Attempts,
        strays: Attempts,
        registry: Registry,
        counted: Callable[[str], None],
    ) -> None:
        self._strays = strays
        self._accounts, self._attempts, self._registry, self._counted = accounts, attempts, registry, counted
        # One password at a time: a hash takes 64 MB, and tries sent side by side are counted like others.
        self._lock = threading.Lock()

    def enter(self, address: str, name: str, password: str) -> Answer:
        """Let somebody in by password, or not.

        Nothing in the answer tells whether anybody has the name. What was typed for one that nobody has stays out of
        the audit: people type passwords there.
        """
        with self._lock:
            wait_s = self._attempts.wait_s(address, name)
            if wait_s:
                return Answer(None, wait_s)
            account = self._accounts.verified(name, password)
            if account is None:
                self._attempts.failed(address, name)
                wait_s = self._attempts.wait_s(address, name)
            else:
                self._attempts.succeeded(address, name)
        if account is None:
            reason = "too many wrong passwords: kept out for some minutes" if wait_s else "wrong name or password"
            known = self._accounts.get(name) is not None
            self.note(name if known else "unknown name", reason, address, entered=False)
            return Answer(None, wait_s)
        self.note(name, "password", address, entered=True, role=account.role)
        return Answer(Role.named(account.role))

    def turn_away(self, address: str, why: str) -> None:
        """Say that somebody came back from the identity provider and was not let in.

        Anybody may send any such answer, as often as they like: from one address a few are told of, each in short, and
        nobody is kept out for it, for another site could send it in somebody's name.
        """
        with self._lock:
            known = bool(self._strays.wait_s(address, _PROVIDER))
            self._strays.failed(address, _PROVIDER)
        if not known:
            self.note(_PROVIDER, _in_short(why), address, entered=False)

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


def _in_short(why: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in why)
    return shown if len(shown) <= _LONGEST_REASON else f"{shown[:_LONGEST_REASON]} ..."
