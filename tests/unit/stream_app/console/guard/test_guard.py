"""Who is let in, what they may ask for, and what every answer carries."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from itsdangerous import URLSafeSerializer
from starlette.routing import Route
from starlette.testclient import TestClient

from stream_app.console.app import build_app
from stream_app.console.console import Console
from stream_app.console.guard.entrance import LIVE
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.attempts import Attempts
from stream_app.console.people.doorkeeper import Doorkeeper
from stream_app.console.people.role import Role
from stream_app.console.people.sessions import RENEW_S, Ticket
from stream_app.console.run import make_console
from stream_app.console.settings import ConsoleSettings, ConsoleSettingsError
from tests.unit.stream_app.console.conftest import PASSWORD, send

Visit = Callable[..., TestClient]

FOR_STRANGERS = {"/sign-in", "/sign-in/provider", "/sign-in/from-provider", "/healthz", "/readyz", "/metrics"}


def test_a_stranger_is_sent_to_sign_in_and_comes_back(visit: Visit) -> None:
    stranger = visit()
    answer = stranger.get("/?week=3")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2F%3Fweek%3D3"
    entered = send(stranger, "/sign-in", {"name": "viewer", "password": PASSWORD, "next": "/?week=3"}, "/sign-in")
    assert entered.headers["location"] == "/?week=3"
    assert stranger.get("/").status_code == 200


def test_no_page_is_forgotten_by_the_guard(console: Console, visit: Visit) -> None:
    stranger = visit()
    stranger.headers["accept"] = "application/json"
    for route in build_app(console).routes:
        if isinstance(route, Route) and route.path not in FOR_STRANGERS:
            path = re.sub(r"\{[^}]*\}", "x", route.path)
            method = "POST" if "POST" in (route.methods or ()) else "GET"
            assert stranger.request(method, path).status_code == 401, route.path


def test_a_page_of_a_higher_role_is_refused_by_name(visit: Visit) -> None:
    for role in (Role.VIEWER, Role.ANALYST, Role.APPROVER):
        answer = visit(role).get("/people")
        assert answer.status_code == 403
        assert "needs the role admin" in answer.text
    assert visit(Role.ADMIN).get("/people").status_code == 200


def test_the_same_is_said_for_a_wrong_name_and_a_wrong_password(visit: Visit) -> None:
    stranger = visit()
    said = [
        send(stranger, "/sign-in", {"name": name, "password": "something else"}, "/sign-in") for name in ("viewer", "x")
    ]
    assert [one.status_code for one in said] == [403, 403]
    assert all("Name or password is wrong." in one.text for one in said)


def test_who_guesses_is_not_heard_for_some_minutes(visit: Visit) -> None:
    stranger = visit()
    for _ in range(5):
        last = send(stranger, "/sign-in", {"name": "viewer", "password": "something else"}, "/sign-in")
    assert last.status_code == 429
    right = send(stranger, "/sign-in", {"name": "viewer", "password": PASSWORD}, "/sign-in")
    assert right.status_code == 429
    assert "Try again in 5 minutes" in right.text
    assert send(stranger, "/sign-in", {"name": "analyst", "password": PASSWORD}, "/sign-in").status_code == 303


def test_no_number_of_tries_tells_whether_somebody_has_a_name(visit: Visit) -> None:
    answers = {
        name: [
            send(visit(), "/sign-in", {"name": name, "password": "something else"}, "/sign-in").status_code
            for _ in range(6)
        ]
        for name in ("viewer", "nobody-has-it")
    }
    assert answers["viewer"] == answers["nobody-has-it"] == [403] * 4 + [429] * 2


def test_a_form_that_no_page_of_ours_sent_is_refused(visit: Visit) -> None:
    admin = visit(Role.ADMIN)
    fields = {"name": "eve", "role": "admin", "password": PASSWORD}
    assert admin.post("/people/put", data=fields).status_code == 403
    other = visit(Role.VIEWER)
    token = other.get("/").text.split('name="csrf-token" content="')[1].partition('"')[0]
    assert admin.post("/people/put", data={**fields, "csrf_token": token}).status_code == 403
    own = admin.get("/").text.split('name="csrf-token" content="')[1].partition('"')[0]
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert admin.post("/people/put", data={**fields, "csrf_token": own}, headers=elsewhere).status_code == 403


def test_a_body_without_end_is_not_read(visit: Visit) -> None:
    assert visit(Role.ADMIN).post("/people/put", content=b"x" * 2_000_000).status_code == 413


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/healthz"])
def test_every_answer_says_what_a_browser_may_do_with_it(visit: Visit, path: str) -> None:
    headers = visit(Role.VIEWER).get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_files_are_kept_by_the_browser_and_only_they(console: Console, visit: Visit) -> None:
    answer = visit().get(console.static("console.css"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert visit().get("/static/another/console.css").status_code == 404


def test_no_script_and_no_style_stands_in_a_template() -> None:
    for path in (Path(__file__).parents[5] / "stream_app/console/templates").glob("*.html"):
        text = path.read_text()
        assert not re.search(r"\s(style|on[a-z]+)=", text), path
        assert "<style" not in text, path
        for attributes in re.findall(r"<script([^>]*)>", text):
            assert "src=" in attributes or 'type="application/json"' in attributes, path


def test_cookies_are_out_of_reach_of_scripts_and_of_the_clear(settings: ConsoleSettings) -> None:
    secure = ConsoleSettings(
        broker=settings.broker,
        redis_url=settings.redis_url,
        data_folder=settings.data_folder,
        archive_url=settings.archive_url,
        secret=settings.secret,
        accounts_file=settings.accounts_file,
        tls_proxy=True,
    )
    with TestClient(build_app(make_console(secure)), "https://console", follow_redirects=False) as client:
        answer = send(client, "/sign-in", {"name": "viewer", "password": PASSWORD}, "/sign-in")
        (cookie,) = [one for one in answer.headers.get_list("set-cookie") if "session" in one]
        assert cookie.startswith("__Host-fraudstream-session=")
        assert "HttpOnly; SameSite=Lax; Secure" in cookie
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_signing_out_is_honoured_though_the_cookie_is_kept(visit: Visit) -> None:
    person = visit(Role.VIEWER)
    stolen = dict(person.cookies)
    assert send(person, "/sign-out", {}).status_code == 303
    thief = visit()
    thief.cookies.update(stolen)
    assert thief.get("/").status_code == 303


def test_a_change_of_role_ends_the_session(visit: Visit, settings: ConsoleSettings) -> None:
    person = visit(Role.VIEWER)
    assert person.get("/").status_code == 200
    accounts = Accounts(settings.accounts_file)
    accounts.keep("viewer", accounts.changed("viewer", 9_000_000_000_000, role=Role.ANALYST))
    assert person.get("/").status_code == 303


def test_beyond_this_machine_it_speaks_tls_or_does_not_start(settings: ConsoleSettings) -> None:
    with pytest.raises(ConsoleSettingsError, match="passwords would travel in the clear"):
        ConsoleSettings(
            broker="b", redis_url="r", data_folder=Path(), archive_url="a", secret="s", accounts_file=Path(),
            web_host="0.0.0.0",
        )  # fmt: skip


def test_probes_need_nobody_to_sign_in(visit: Visit) -> None:
    stranger = visit()
    assert stranger.get("/healthz").json() == {"status": "ok"}
    assert stranger.get("/metrics").status_code == 200


def test_a_file_that_others_can_read_lets_nobody_in_and_is_not_told_to_strangers(
    visit: Visit, settings: ConsoleSettings
) -> None:
    person, stranger = visit(Role.VIEWER), visit()
    settings.accounts_file.chmod(0o644)
    for answer in (person.get("/"), send(stranger, "/sign-in", {"name": "viewer", "password": PASSWORD}, "/sign-in")):
        assert answer.status_code == 503
        assert "its log tells" in answer.text
        assert str(settings.accounts_file) not in answer.text


def test_a_form_sent_after_the_session_has_ended_leads_to_the_door(visit: Visit) -> None:
    answer = visit().post("/people/put", data={})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_no_host_header_opens_a_page(visit: Visit) -> None:
    for host in ("console/sign-in?", "console/sign-in#", "x/sign-in"):
        assert visit().get("/audit", headers={"host": host}).status_code == 303


def test_only_the_sign_in_page_itself_is_for_strangers(visit: Visit) -> None:
    assert visit().get("/sign-in-or-not").status_code == 303


def test_a_script_of_a_stranger_gets_no_page_to_put_into_its_own(visit: Visit) -> None:
    assert visit().get("/review/queue", headers={"sec-fetch-mode": "cors"}).status_code == 401


def test_a_form_of_too_many_fields_is_refused(visit: Visit) -> None:
    stranger = visit()
    token = stranger.get("/sign-in").text.split('name="csrf-token" content="')[1].partition('"')[0]
    form = {"content-type": "application/x-www-form-urlencoded"}
    said = [
        stranger.post("/sign-in", content="a=1&" * many + f"csrf_token={token}", headers=form).text
        for many in (10, 1_000)
    ]
    assert ["out of date" in text for text in said] == [False, True]


def test_a_page_that_asks_by_itself_does_not_keep_a_session_alive(console: Console, visit: Visit) -> None:
    person = visit(Role.VIEWER)
    ticket = Ticket("s", "viewer", "viewer", time.time_ns() // 1_000_000, int(time.time()) - RENEW_S, own=True)
    old = URLSafeSerializer(console.settings.secret, salt="session").dumps(msgspec.to_builtins(ticket))
    person.cookies.clear()
    person.cookies.set(console.cookies.session, old)
    assert "set-cookie" not in person.get("/whoami", headers={LIVE: "1"}).headers
    assert "set-cookie" in person.get("/whoami").headers


@pytest.mark.parametrize("digits", [5, 5_000])
def test_a_number_of_any_length_breaks_no_page(visit: Visit, digits: int) -> None:
    """The registry is away, so the page says that; a number that is none must not be worse."""
    person = visit(Role.APPROVER)
    assert person.get(f"/audit?before={'9' * digits}").status_code == 503
    fields = {"version": "m-1", "reason": "r", "seen": "9" * digits}
    assert send(person, "/models/acts/promote", fields).status_code == 503


def test_passwords_sent_side_by_side_are_counted_like_others(console: Console) -> None:
    door = Doorkeeper(
        console.accounts, Attempts(lambda: 0.0), Attempts(lambda: 0.0), console.registry, lambda _outcome: None
    )
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: door.enter("10.0.0.1", "viewer", "something else"), range(10)))
    assert sum(answer.wait_s == 0 for answer in answers) == 4


def test_signing_in_again_leaves_no_session_behind(visit: Visit) -> None:
    person = visit(Role.VIEWER)
    before = dict(person.cookies)
    assert send(person, "/sign-in", {"name": "analyst", "password": PASSWORD}).status_code == 303
    assert person.get("/whoami").json()["role"] == "analyst"
    other = visit()
    other.cookies.update(before)
    assert other.get("/").status_code == 303
