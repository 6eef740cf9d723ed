"""The first page: who sees what, live, on any screen, whatever ends and comes back."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from models.schema import wire
from stream_app.console.people.role import Role
from stream_app.worker_status import WorkerStatus, workers_key
from tests.support.console_world import ConsoleWorld

SignIn = Callable[..., Page]
Check = Callable[[Page], None]

PHONE = {"width": 360, "height": 740}
LINKS = {
    Role.VIEWER: {"Now"},
    Role.ANALYST: {"Now"},
    Role.APPROVER: {"Now"},
    Role.ADMIN: {"Now", "People"},
}
"""That each sees at least; further pages have tests of their own."""


def live(page: Page) -> Page:
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    return page


def test_a_transaction_appears_within_a_second_without_a_reload(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = live(sign_in(Role.ANALYST))
    page.evaluate("window.loaded = 'once'")
    console.score("t-appears")
    expect(page.get_by_role("link", name="t-appears")).to_be_visible(timeout=1_000)
    assert page.evaluate("window.loaded") == "once"
    shown = page.locator("tr", has_text="t-appears").inner_text()
    assert "card-00012345" in shown
    assert "unusual amount" in shown


def test_a_viewer_sees_four_characters_of_a_card(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = live(sign_in(Role.VIEWER))
    console.score("t-masked")
    expect(page.get_by_role("link", name="t-masked")).to_be_visible(timeout=1_000)
    page.reload()
    expect(page.get_by_role("link", name="t-masked")).to_be_visible()
    assert "••••2345" in page.content()
    assert "card-00012345" not in page.content()


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_its_pages_and_no_other(console: ConsoleWorld, sign_in: SignIn, role: Role) -> None:
    page = sign_in(role)
    found = set(page.get_by_role("navigation").get_by_role("link").all_inner_texts())
    assert found >= LINKS[role]
    assert ("People" in found) is (role is Role.ADMIN)
    assert page.request.get("/people").status == (200 if role is Role.ADMIN else 403)


def test_a_restart_of_the_console_does_not_lose_the_thread(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = live(sign_in(Role.VIEWER))
    page.evaluate("window.loaded = 'once'")
    assert console.process is not None
    console.process.kill()
    expect(page.locator("#live")).to_have_attribute("data-state", "off")
    console.score("t-meanwhile")
    console.start()
    expect(page.get_by_role("link", name="t-meanwhile")).to_be_visible(timeout=15_000)
    live(page)
    console.score("t-afterwards")
    expect(page.get_by_role("link", name="t-afterwards")).to_be_visible(timeout=1_000)
    assert page.evaluate("window.loaded") == "once"


def test_signing_out_in_one_window_ends_the_other(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = live(sign_in(Role.VIEWER))
    other = page.context.new_page()
    other.goto("/")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    other.reload()
    other.wait_for_url("**/sign-in?next=**")


def test_pause_holds_what_comes_and_the_filter_hides_what_was_approved(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = live(sign_in(Role.VIEWER))
    page.get_by_role("button", name="Pause").click()
    console.score("t-held")
    console.score("t-fine", decision="approve", score=0.01, score_scaled=10, reason_codes=[])
    expect(page.locator("#sample")).to_contain_text(re.compile(r"showing \d+ of"))
    page.wait_for_timeout(700)
    expect(page.get_by_role("link", name="t-held")).to_have_count(0)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("link", name="t-held")).to_be_visible()
    expect(page.get_by_role("link", name="t-fine")).to_be_visible()
    page.get_by_label("flagged only").check()
    expect(page.get_by_role("link", name="t-fine")).to_be_hidden()
    expect(page.get_by_role("link", name="t-held")).to_be_visible()


def test_everything_is_reached_by_keyboard(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = live(sign_in(Role.ADMIN))
    page.locator("body").press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.id || document.activeElement.textContent).trim()"))
        width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2 or page.evaluate("document.activeElement === document.body"), "the focus is not seen"
    assert {"Now", "People", "theme", "Sign out", "only-flagged", "pause"} <= reached


@pytest.mark.parametrize("path", ["/", "/people", "/sign-in"])
def test_a_phone_is_wide_enough(console: ConsoleWorld, sign_in: SignIn, path: str) -> None:
    page = sign_in(Role.ADMIN, viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = "[...document.querySelectorAll('button, nav a')].filter((one) => one.checkVisibility()"
    assert page.evaluate(f"{small} && one.offsetHeight < 44).map((one) => one.outerHTML)") == []


def test_dark_is_by_the_system_or_by_choice_and_is_remembered(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = sign_in(Role.VIEWER, color_scheme="dark")
    back = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(back)
    page.get_by_role("button", name="Light").click()
    light = page.evaluate(back)
    assert light != dark
    page.reload()
    assert page.evaluate(back) == light


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/people"])
def test_nobody_is_shut_out(console: ConsoleWorld, sign_in: SignIn, accessible: Check, scheme: str, path: str) -> None:
    console.score("t-accessible")
    page = sign_in(Role.ADMIN, path, color_scheme=scheme)
    accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out_at_the_door(console: ConsoleWorld, sign_in: SignIn, accessible: Check, scheme: str) -> None:
    page = sign_in(Role.VIEWER, color_scheme=scheme)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    accessible(page)


def test_the_page_is_light(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = live(sign_in(Role.VIEWER))
    total = "performance.getEntriesByType('resource').reduce((sum, one) => sum + one.decodedBodySize, 0)"
    page.reload()
    live(page)
    assert page.evaluate(total) + len(page.content()) < 300_000


def test_the_sentence_turns_into_what_is_wrong(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = live(sign_in(Role.VIEWER))
    expect(page.locator("#headline-text")).to_contain_text("Nobody scores: no worker is alive.")
    status = WorkerStatus("w-browser", 1, None, True, "m-1", 1, 0, [0, 1, 2, 3], time.time_ns() // 1_000_000)
    console.registry._client.hset(workers_key(console.redis_prefix), "w-browser", wire.encode(status))
    expect(page.locator("#headline-text")).to_contain_text("There is no champion")
    expect(page.locator("#workers")).to_contain_text("w-browser")


def test_an_admin_says_who_may_come_in(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = sign_in(Role.ADMIN, "/people")
    page.get_by_role("textbox", name="Name").fill("grace")
    page.locator("form.stack select").select_option("analyst")
    page.get_by_role("textbox", name="Password").fill("a password long enough")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="grace")).to_contain_text("may come in")
    page.get_by_role("button", name="Keep grace out").click()
    expect(page.get_by_role("row", name="grace")).to_contain_text("kept out")
    told = [(one.kind, one.actor, one.reason) for one in console.registry.audit() if one.subject == "grace"]
    assert told == [
        ("account", "admin", "grace was added, or given another password"),
        ("account", "admin", "grace was kept out"),
    ]
    entered = [one for one in console.registry.audit() if one.kind == "login" and one.actor == "admin"]
    assert entered
    assert entered[-1].details["outcome"] == "entered"
