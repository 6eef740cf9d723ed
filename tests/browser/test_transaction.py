"""The transaction page: one decision found, explained and computed again."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from models.features.feature_set import DEFAULT
from stream_app.console.people.role import Role
from tests.browser.conftest import PHONE
from tests.support.console_world import ConsoleWorld
from tests.support.review_bank import ReviewBank, review_bank

SignIn = Callable[..., Page]


@pytest.fixture(scope="module")
def bank(console: ConsoleWorld) -> Iterator[ReviewBank]:
    with review_bank(console) as made:
        yield made


def test_a_decision_is_shown_with_all_that_was_recorded(bank: ReviewBank, sign_in: SignIn) -> None:
    transaction_id, place = next(iter(bank.flagged().items()))
    page = sign_in(Role.ANALYST, "/transaction")
    page.get_by_label("Transaction id").fill(transaction_id)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name=transaction_id)).to_be_visible()
    score = bank.scoring.output.kept()[place]
    expect(page.locator(".figure").first).to_contain_text(f"{score.score:.4f}")
    expect(page.get_by_role("link", name=bank.champion).first).to_have_attribute("href", f"/models/{bank.champion}")
    expect(page.get_by_role("link", name=bank.beside)).to_be_visible()
    expect(page.locator("#sum")).to_contain_text("all bars together")
    base, margin, recorded = (
        float(number) for number in re.findall(r"-?\d+\.\d{4}", page.locator("#sum").inner_text())
    )
    added = [float(text.split()[0]) for text in page.locator(".bars .number").all_inner_texts()]
    assert base + sum(added) == pytest.approx(margin, abs=0.01)
    assert margin == pytest.approx(recorded, abs=0.001)
    page.get_by_text("feature values, as they were used").click()
    expect(page.locator("#values tbody tr")).to_have_count(len(DEFAULT))
    row = bank.scoring.output.counted_rows()[place]
    amount = page.locator("#values td.mono", has_text=re.compile(r"^amount$")).locator("..")
    expect(amount).to_contain_text(f"{row.values[DEFAULT.index('amount')]:,.2f} EUR")


def test_the_score_is_reproduced_bit_for_bit(bank: ReviewBank, sign_in: SignIn) -> None:
    transaction_id = list(bank.flagged())[-1]
    page = sign_in(Role.VIEWER, "/transaction")
    page.goto(f"/transaction/{transaction_id}")
    page.get_by_role("link", name="Reproduce the score").click()
    expect(page.locator("#reproduction")).to_contain_text(f"Equal, bit for bit: {bank.champion} gives")
    assert re.search(r"0x[0-9a-f]{8}", page.locator("#reproduction").inner_text())
    assert not re.search(r"card-\d", page.content())


def test_an_approved_one_is_found_by_where_it_lies(bank: ReviewBank, sign_in: SignIn) -> None:
    place, score = next(one for one in bank.scoring.output.kept().items() if one[1].decision == "approve")
    page = sign_in(Role.ANALYST, "/transaction")
    page.get_by_label("or partition").fill(str(place[0]))
    page.get_by_label("and offset").fill(str(place[2]))
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name=score.transaction_id)).to_be_visible()
    expect(page.get_by_text("Once mature it counts as genuine")).to_be_visible()


def test_what_is_not_there_is_said_with_where_it_was_looked_for(bank: ReviewBank, sign_in: SignIn) -> None:
    assert bank.flagged()
    page = sign_in(Role.ANALYST, "/transaction")
    page.goto("/transaction?id=nobody")
    expect(page.locator("#not-found")).to_contain_text("scores of the topic, written since")
    expect(page.locator("#not-found")).to_contain_text("not the archive: there is no table")
    page.goto("/transaction?id=x1&day=yesterday")
    expect(page.get_by_role("alert").first).to_contain_text("'yesterday' is no date")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out_on_a_phone_in_any_light(
    bank: ReviewBank, sign_in: SignIn, accessible: Callable[[Page], None], scheme: str
) -> None:
    transaction_id = next(iter(bank.flagged()))
    page = sign_in(Role.ANALYST, "/transaction", viewport=PHONE, color_scheme=scheme)
    page.goto(f"/transaction/{transaction_id}")
    expect(page.locator("#sum")).to_be_visible()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
