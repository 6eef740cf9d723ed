"""The accounts file: names, roles and password hashes."""

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from models.errors import FraudstreamError
from models.proposal import same_person
from models.registry import OWN_ACTORS
from stream_app.console.people.passwords import fits, hashed
from stream_app.console.people.role import Role

SHORTEST_PASSWORD: Final = 12
_LONGEST_PASSWORD: Final = 256
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


NAME_RULE: Final = "letters, digits and . _ @ + -, 64 at most"


def is_name(name: str) -> bool:
    """Whether somebody may be called so, here or at an identity provider: what looks alike is alike.

    Examples
    --------
    >>> is_name("ada"), is_name("ada "), is_name("ada: root")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


class AccountsError(FraudstreamError):
    """Raised when the file cannot be used, or a name or password is none that may be kept."""


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person.

    Attributes
    ----------
    role: its word.
    password: argon2id hash.
    changed_ms: when role or password were last set; sessions from before end.
    disabled: whether they are kept out.
    """

    role: str
    password: str
    changed_ms: int
    disabled: bool = False


class Accounts:
    """Reads the file when it changes, writes it whole, for its owner's eyes only.

    Parameters
    ----------
    file: JSON; missing means nobody.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._read_as_of: tuple[int, int, int] | None = None
        self._known: dict[str, Account] = {}

    def all(self) -> Mapping[str, Account]:
        """Return every account by name."""
        with self._lock:
            return dict(self._read())

    def get(self, name: str) -> Account | None:
        """Return the account of a name, None where nobody has it."""
        with self._lock:
            return self._read().get(name)

    def verified(self, name: str, password: str) -> Account | None:
        """Return the account if the password is right and it is not disabled; None takes as long for any reason."""
        account = self.get(name)
        right = fits(None if account is None else account.password, password[:_LONGEST_PASSWORD])
        return account if account is not None and right and not account.disabled else None

    def made(self, name: str, role: Role, password: str, now_ms: int) -> Account:
        """Return a new account, or one with another role and password, that is not kept yet.

        Raises
        ------
        AccountsError: the name is a process's or no name, or the password is too short or too long.
        """
        if not is_name(name) or any(same_person(name, own) for own in OWN_ACTORS):
            raise AccountsError(f"{name!r} cannot be a name: {NAME_RULE}, and not {' or '.join(sorted(OWN_ACTORS))}")
        taken = next((one for one in self.all() if one != name and same_person(one, name)), None)
        if taken is not None:
            raise AccountsError(f"{name!r} cannot be a name beside {taken!r}: capitals make no other person")
        if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
            raise AccountsError(f"a password has {SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters; take another")
        return Account(role.word, hashed(password), now_ms)

    def changed(self, name: str, now_ms: int, *, role: Role | None = None, disabled: bool | None = None) -> Account:
        """Return somebody's account with another role or state, not kept yet; AccountsError where there is none."""
        account = self.get(name)
        if account is None:
            raise AccountsError(f"nobody is called {name!r}; add them with `fraudstream console-user`")
        return msgspec.structs.replace(
            account,
            role=account.role if role is None else role.word,
            disabled=account.disabled if disabled is None else disabled,
            changed_ms=now_ms,
        )

    def keep(self, name: str, account: Account) -> None:
        """Write an account; raises AccountsError where the file cannot be written."""
        with self._lock:
            self._write({**self._read(), name: account})

    def _read(self) -> dict[str, Account]:
        try:
            found = self.file.stat()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise AccountsError(f"{self.file} cannot be read ({error.strerror}); name another --accounts") from error
        as_of = (found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        if as_of != self._read_as_of:
            if found.st_mode & 0o077:
                raise AccountsError(f"{self.file} can be read by others; run `chmod 600 {self.file}`")
            try:
                self._known = msgspec.json.decode(self.file.read_bytes(), type=dict[str, Account])
            except (OSError, msgspec.MsgspecError) as error:
                raise AccountsError(f"{self.file} is no accounts file ({error}); mend or remove it") from error
            self._read_as_of = as_of
        return self._known

    def _write(self, accounts: Mapping[str, Account]) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.file.parent, prefix=self.file.name)  # mode 600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.json.format(msgspec.json.encode(accounts, order="sorted")))
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.file)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise
        except OSError as error:
            raise AccountsError(f"{self.file} cannot be written ({error.strerror}); name another --accounts") from error
