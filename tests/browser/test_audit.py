"""The audit page: what is found, the chain from record to record, and a break that cannot be missed."""

from collections.abc import Callable, Iterator

import pytest
import redis
from playwright.sync_api import Page, expect

from models.audit.chain import Entry, check_chain, decoded
from stream_app.console.people.role import Role
from tests.browser.conftest import PHONE
from tests.support.console_world import ConsoleWorld

SignIn = Callable[..., Page]
LIVE_MS = 1_500


@pytest.fixture(scope="module", autouse=True)
def records(console: ConsoleWorld) -> None:
    for number in range(60):
        console.registry.log.append(Entry("login", f"ada-{number % 3}", f"password, visit {number}", "console"))
    console.registry.log.append(
        Entry("alias-move", "bob", "too many alerts", "m-2", {"action": "promote", "alias": "x", "before": "m-1"})
    )


@pytest.fixture
def tampered(console: ConsoleWorld) -> Iterator[int]:
    """A record that somebody has changed in Redis; whole again afterwards."""
    client = redis.Redis.from_url(console.stack.redis_url)
    key = f"{console.redis_prefix}audit"
    line = client.lindex(key, 39)
    assert isinstance(line, bytes)
    client.lset(key, 39, line.replace(b"ada-", b"eve-").decode())
    yield 40
    client.lset(key, 39, line.decode())
    client.close()


def test_pages_go_back_and_each_record_names_the_hash_of_the_one_before(sign_in: SignIn, console: ConsoleWorld) -> None:
    page = sign_in(Role.VIEWER, "/audit")
    rows = page.locator("#found tbody tr")
    expect(rows).to_have_count(50)
    expect(page.locator("#chain")).to_contain_text("chain holds")
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#record-1")).to_contain_text("password, visit")
    page.locator("#details-5 summary").click()
    before = console.registry.audit()[3]
    expect(page.locator("#details-5")).to_contain_text(before.hash)
    page.locator("#details-5").get_by_role("link", name="record 4").click()
    expect(page.locator("#record-4")).to_be_in_viewport()
    page.get_by_role("link", name="Newest").click()
    expect(page.get_by_role("link", name="Older")).to_be_visible()


def test_records_are_found_by_actor_act_version_and_words_and_exported_as_they_are_kept(sign_in: SignIn) -> None:
    page = sign_in(Role.VIEWER, "/audit")
    page.get_by_label("Model version").fill("m-1")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#found-title")).to_have_text("1 record found")
    expect(page.locator("#found tbody tr")).to_contain_text("too many alerts")
    page.goto("/audit?actor=ADA-1&kind=login&text=visit+4")
    expect(page.locator("#found-title")).to_have_text("6 records found")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as JSON lines").click()
    content = download.value.path().read_bytes()
    exported = decoded(content.splitlines(), "the export")
    assert [(record.actor, record.sealed()) for record in exported] == [("ada-1", record) for record in exported]
    assert len(exported) == 6
    page.goto("/audit?since=2100-01-01")
    expect(page.locator("#found")).to_contain_text("Nothing is recorded that fits.")


def test_a_time_that_is_none_is_refused_in_one_line_and_kept_in_its_field(sign_in: SignIn) -> None:
    page = sign_in(Role.VIEWER, "/audit")
    page.get_by_label("From (UTC)").fill("yesterday")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text("'yesterday' is no time; write it as 2026-11-26")
    expect(page.get_by_label("From (UTC)")).to_have_value("yesterday")


def test_a_record_appears_without_a_reload_while_it_is_followed(sign_in: SignIn, console: ConsoleWorld) -> None:
    page = sign_in(Role.VIEWER, "/audit")
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    made = console.registry.log.append(Entry("login", "carol", "from elsewhere", "console"))
    expect(page.locator(f"#record-{made.sequence}")).to_contain_text("carol", timeout=LIVE_MS)
    page.get_by_label("follow live").uncheck()
    later = console.registry.log.append(Entry("login", "dave", "not shown yet", "console"))
    expect(page.locator(f"#record-{later.sequence}")).to_have_count(0)
    page.get_by_label("follow live").check()
    expect(page.locator(f"#record-{later.sequence}")).to_contain_text("dave", timeout=LIVE_MS)


def test_a_changed_record_is_shown_where_the_chain_breaks(
    sign_in: SignIn, console: ConsoleWorld, tampered: int
) -> None:
    page = sign_in(Role.VIEWER, "/audit")
    expect(page.get_by_role("alert")).to_contain_text(f"audit record {tampered} in Redis was changed")
    expect(page.locator(f"#record-{tampered}")).to_contain_text("chain breaks here")
    expect(page.locator(f"#record-{tampered + 1}")).to_contain_text("behind the break")
    page.get_by_role("button", name="Verify everything").click()
    expect(page.locator("#whole")).to_contain_text("It does not hold.")


def test_everything_is_verified_on_request(sign_in: SignIn, console: ConsoleWorld) -> None:
    client = redis.Redis.from_url(console.stack.redis_url)
    page = sign_in(Role.VIEWER, "/audit")
    page.get_by_role("button", name="Verify everything").click()
    # The move of this file's records was written by no registry: the check finds that out.
    expect(page.locator("#whole")).to_contain_text("alias x is nothing in the registry and m-2")
    assert check_chain(console.registry.audit()) is not None
    client.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [None, PHONE])
def test_nobody_is_shut_out(
    sign_in: SignIn, accessible: Callable[[Page], None], scheme: str, viewport: dict[str, int] | None
) -> None:
    page = sign_in(Role.VIEWER, "/audit", color_scheme=scheme, **({} if viewport is None else {"viewport": viewport}))
    expect(page.locator("#found tbody tr").first).to_be_visible()
    page.locator("#found summary").first.click()
    accessible(page)
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, f"the page is {width} px wider than the screen"
