"""The review page: what is flagged is handed out, decided, stated on the topic, and taken back."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from stream_app.console.people.role import Role
from tests.browser.conftest import PHONE
from tests.support.console_world import ConsoleWorld
from tests.support.payments import payments
from tests.support.review_bank import ReviewBank, review_bank
from tests.support.worker_process import wait_until

SignIn = Callable[..., Page]


@pytest.fixture(scope="module")
def bank(console: ConsoleWorld) -> Iterator[ReviewBank]:
    with review_bank(console) as made:
        yield made


def opened(page: Page) -> str:
    """The identifier of the case that is open."""
    expect(page.locator("#opened")).to_be_visible()
    return page.locator("#opened").get_attribute("data-id") or ""


def euros(text: str) -> float:
    return float(text.split(maxsplit=1)[0].replace(",", ""))


def test_what_is_flagged_waits_the_most_valuable_look_first(bank: ReviewBank, sign_in: SignIn) -> None:
    page = sign_in(Role.ANALYST, "/review")
    expect(page.locator("#total")).to_have_text(str(len(bank.waiting())))
    worth = [euros(text) for text in page.locator(".line .first strong").all_inner_texts()]
    assert len(worth) > 5
    assert worth == sorted(worth, reverse=True)
    assert opened(page) in bank.flagged()
    expect(page.get_by_text("A look is worth")).to_be_visible()
    assert page.locator(".reasons li").count() > 0
    expect(page.get_by_role("heading", name="This card before")).to_be_visible()
    assert page.locator("#more table tbody tr").count() > 0


def test_fraud_by_a_key_is_a_label_on_the_topic_and_undo_a_later_one(
    bank: ReviewBank, console: ConsoleWorld, sign_in: SignIn
) -> None:
    page = sign_in(Role.ANALYST, "/review")
    mine = opened(page)
    before = len(bank.stated(mine))
    page.keyboard.press("f")
    expect(page.locator("#said")).to_contain_text(f"{mine}: stated as fraud")
    (label,) = bank.stated(mine)[before:]  # the page says it only once the broker has it
    assert (label.is_fraud, label.label_source) == (True, "analyst")
    assert opened(page) != mine
    expect(page.locator(".line", has_text="fraud, says an analyst")).to_have_count(1)
    page.keyboard.press("u")
    expect(page.locator("#said")).to_contain_text(f"{mine}: taken back")
    first, second = bank.stated(mine)[before:]
    assert (first.is_fraud, second.is_fraud) == (True, False)
    assert second.labelled_at >= first.labelled_at
    assert opened(page) == mine
    expect(page.get_by_role("button", name="Fraud")).to_be_visible()
    told = [record for record in console.registry.log.records() if record.subject == mine]
    assert [(one.kind, one.actor, one.details["action"]) for one in told[-2:]] == [
        ("review", "analyst", "fraud"),
        ("review", "analyst", "undo"),
    ]


def test_everything_works_by_tab_and_enter(bank: ReviewBank, sign_in: SignIn) -> None:
    page = sign_in(Role.ANALYST, "/review")
    mine = opened(page)
    before = len(bank.stated(mine))
    page.locator(".line[aria-current=true]").focus()
    while page.evaluate("document.activeElement.value") != "genuine":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text(f"{mine}: stated as genuine")
    assert [label.is_fraud for label in bank.stated(mine)[before:]] == [False]
    page.get_by_role("button", name="Undo").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("taken back")


def test_keys_move_through_the_queue_and_help_names_them(bank: ReviewBank, sign_in: SignIn) -> None:
    assert bank.flagged()
    page = sign_in(Role.ANALYST, "/review")
    places = [line.get_attribute("data-place") for line in page.locator(".line").all()]
    page.keyboard.press("j")
    expect(page.locator(".line[aria-current=true]")).to_have_attribute("data-place", places[1] or "")
    page.keyboard.press("k")
    expect(page.locator(".line[aria-current=true]")).to_have_attribute("data-place", places[0] or "")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_what_one_holds_is_not_handed_to_another(bank: ReviewBank, sign_in: SignIn) -> None:
    first = sign_in(Role.ANALYST, "/review")
    mine = opened(first)
    place = first.locator("#opened").get_attribute("data-place")
    second = sign_in(Role.APPROVER, "/review")
    assert opened(second) != mine
    expect(second.locator(f'.line[data-place="{place}"]')).to_contain_text("held by analyst")
    second.locator(f'.line[data-place="{place}"]').click()
    expect(second.locator("#held")).to_contain_text("analyst holds this case")
    expect(second.get_by_role("button", name="Fraud")).to_be_disabled()
    token = second.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    answer = second.request.post(
        "/review/decide", form={"place": str(place), "verdict": "fraud"}, headers={"X-CSRF-Token": token}
    )
    assert answer.json()["error"] == f"analyst holds {mine}; take the next one, or wait until it is free"
    first.goto("/transaction")
    wait_until(lambda: _is_free(second, str(place)), "the case is free again")


def _is_free(page: Page, place: str) -> bool:
    page.goto(f"/review?case={place}")
    page.wait_for_load_state()
    return page.locator("#held").is_hidden() and page.get_by_role("button", name="Fraud").is_enabled()


def test_new_cases_are_announced_and_nothing_moves_until_asked(bank: ReviewBank, sign_in: SignIn) -> None:
    page = sign_in(Role.ANALYST, "/review")
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    mine, before = opened(page), page.locator(".line").all_inner_texts()
    bank.pay([*payments(60, part=1)])
    expect(page.locator("#fresh")).to_be_visible(timeout=5_000)
    assert re.fullmatch(r"Show \d+ new cases? \(r\)", page.locator("#fresh").inner_text())
    assert page.locator(".line").all_inner_texts() == before
    expect(page.locator("#total")).to_have_text(str(len(bank.waiting())))
    page.keyboard.press("r")
    expect(page.locator("#fresh")).to_be_hidden()
    assert opened(page) == mine


def test_a_viewer_sees_masked_cards_and_no_buttons(bank: ReviewBank, sign_in: SignIn) -> None:
    page = sign_in(Role.VIEWER, "/review")
    assert opened(page) in bank.flagged()
    expect(page.get_by_role("heading", name="This card before")).to_be_visible()
    assert page.locator("#verdict").count() == 0
    assert "••••" in page.locator("main").inner_text()
    assert not re.search(r"card-\d", page.content())
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    place = page.locator("#opened").get_attribute("data-place") or ""
    answer = page.request.post(
        "/review/decide", form={"place": place, "verdict": "fraud"}, headers={"X-CSRF-Token": token}
    )
    assert answer.status == 403


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out_on_a_phone_in_any_light(
    bank: ReviewBank, sign_in: SignIn, accessible: Callable[[Page], None], scheme: str
) -> None:
    assert bank.flagged()
    page = sign_in(Role.ANALYST, "/review", viewport=PHONE, color_scheme=scheme, has_touch=True)
    opened(page)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = page.get_by_role("button", name="Fraud").bounding_box()
    assert box is not None
    assert box["height"] >= 44


def test_without_script_a_case_is_decided_all_the_same(bank: ReviewBank, sign_in: SignIn) -> None:
    page = sign_in(Role.ADMIN, "/review", java_script_enabled=False)
    mine = opened(page)
    page.get_by_role("button", name="Genuine").click()
    expect(page.locator("#said")).to_contain_text("Stated as genuine")
    assert [label.is_fraud for label in bank.stated(mine)][-1] is False
