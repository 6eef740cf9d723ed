"""Accounts, sessions, roles: kept, read and refused."""

import asyncio
import io
import stat
from pathlib import Path

import pytest

from models.access.redis_access import async_redis_client
from stream_app.cli import run
from stream_app.console.people.accounts import Accounts, AccountsError
from stream_app.console.people.attempts import OF_AN_ADDRESS, WINDOW_S, Attempts
from stream_app.console.people.role import Role, UnknownRoleError
from stream_app.console.people.sessions import Sessions

PASSWORD = "correct horse battery"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "folder" / "users.json")


def add(accounts: Accounts, name: str, role: Role = Role.VIEWER) -> None:
    accounts.keep(name, accounts.made(name, role, PASSWORD, 1))


def test_the_file_is_for_its_owner_and_holds_no_password(accounts: Accounts) -> None:
    add(accounts, "ada")
    assert stat.S_IMODE(accounts.file.stat().st_mode) == 0o600
    assert "$argon2id$" in accounts.file.read_text()
    assert PASSWORD not in accounts.file.read_text()


def test_a_file_that_others_can_read_is_refused_with_the_remedy(accounts: Accounts) -> None:
    add(accounts, "ada")
    accounts.file.chmod(0o644)
    with pytest.raises(AccountsError, match="chmod 600"):
        Accounts(accounts.file).get("ada")


def test_what_another_process_writes_is_seen(accounts: Accounts) -> None:
    add(accounts, "ada")
    other = Accounts(accounts.file)
    add(other, "grace", Role.ADMIN)
    assert accounts.all().keys() == {"ada", "grace"}


def test_only_the_right_password_of_somebody_who_is_let_in_counts(accounts: Accounts) -> None:
    add(accounts, "ada")
    assert accounts.verified("ada", PASSWORD) is not None
    assert accounts.verified("ada", "something else") is None
    assert accounts.verified("nobody", PASSWORD) is None
    accounts.keep("ada", accounts.changed("ada", 2, disabled=True))
    assert accounts.verified("ada", PASSWORD) is None


@pytest.mark.parametrize("name", ["", "a b", "release", "Retrain", "../x", "x" * 65])
def test_a_name_that_could_be_taken_for_something_else_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountsError, match="cannot be a name"):
        add(accounts, name)


def test_capitals_make_no_other_person(accounts: Accounts) -> None:
    add(accounts, "ada")
    with pytest.raises(AccountsError, match="capitals make no other person"):
        add(accounts, "Ada")
    add(accounts, "ada", Role.ANALYST)


def test_a_short_password_is_refused(accounts: Accounts) -> None:
    with pytest.raises(AccountsError, match="12 to 256"):
        accounts.made("ada", Role.VIEWER, "short", 1)


def test_a_word_that_is_no_role_is_refused() -> None:
    with pytest.raises(UnknownRoleError, match="viewer, analyst, approver, admin"):
        Role.named("boss")


def test_the_command_adds_somebody_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FRAUDSTREAM_DATA", str(tmp_path))
    monkeypatch.delenv("FRAUDSTREAM_REDIS", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    assert run(["console-user", "ada", "--role", "analyst", "--password-stdin"]) == 0
    assert "ada may come in as analyst" in capsys.readouterr().out
    account = Accounts(tmp_path / "console-users.json").verified("ada", PASSWORD)
    assert account is not None
    assert account.role == "analyst"


class Clock:
    """Says what a test wants."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(accounts: Accounts, clock: Clock) -> Sessions:
    add(accounts, "ada", Role.ANALYST)
    away = async_redis_client("redis://127.0.0.1:1/0")
    return Sessions("s" * 40, accounts, away, "t:", idle_s=600, absolute_s=3600, now=clock)


async def name_of(sessions: Sessions, cookie: str) -> str | None:
    found = await sessions.read(cookie)
    return None if found is None else found[0].name


@pytest.mark.parametrize(("pause_s", "alive"), [(599, True), (601, False)])
def test_an_unused_session_ends(sessions: Sessions, clock: Clock, pause_s: float, alive: bool) -> None:
    cookie = sessions.open("ada", Role.ANALYST, own=True)
    clock.now_s += pause_s
    assert (asyncio.run(name_of(sessions, cookie)) == "ada") is alive


def test_a_used_session_goes_on_but_not_for_ever(sessions: Sessions, clock: Clock) -> None:
    async def use() -> int:
        cookie: str | None = sessions.open("ada", Role.ANALYST, own=True)
        used = 0
        while (found := await sessions.read(cookie)) is not None:
            cookie = found[1] or cookie
            used += 1
            clock.now_s += 300
        return used

    assert asyncio.run(use()) == 12


@pytest.mark.parametrize("cookie", ["", "x", "eyJhIjoxfQ.x", "W10.x"])
def test_a_cookie_that_was_not_signed_here_is_nobodys(sessions: Sessions, cookie: str) -> None:
    assert asyncio.run(sessions.read(cookie)) is None
    assert asyncio.run(sessions.read(sessions.open("ada", Role.ADMIN, own=True)[:-2])) is None


def test_the_role_is_the_files_not_the_cookies(sessions: Sessions) -> None:
    found = asyncio.run(sessions.read(sessions.open("ada", Role.ADMIN, own=True)))
    assert found is not None
    assert found[0].role is Role.ANALYST


def test_an_address_that_guesses_many_names_is_slowed_down_too() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for number in range(OF_AN_ADDRESS):
        attempts.failed("10.0.0.1", f"name {number}")
    assert attempts.wait_s("10.0.0.1", "another") == WINDOW_S
    clock.now_s += WINDOW_S + 1
    assert attempts.wait_s("10.0.0.1", "another") == 0
