"""The first page: who sees what, live, on any screen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from stream_app.console.people.role import Role
from tests.support.console_world import ConsoleWorld

SignIn = Callable[..., Page]


def test_a_transaction_appears_without_a_reload(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = sign_in(Role.ANALYST)
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    console.score("t-appears")
    expect(page.get_by_role("link", name="t-appears")).to_be_visible(timeout=1_000)
    assert page.locator("tr", has_text="t-appears").inner_text().count("card-00012345") == 1


def test_a_viewer_sees_four_characters_of_a_card(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = sign_in(Role.VIEWER)
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    console.score("t-masked")
    expect(page.get_by_role("link", name="t-masked")).to_be_visible(timeout=1_000)
    assert "••••2345" in page.content()
    assert "card-00012345" not in page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(
    console: ConsoleWorld, sign_in: SignIn, accessible: Callable[[Page], None], scheme: str
) -> None:
    console.score(f"t-accessible-{scheme}")
    page = sign_in(Role.VIEWER, color_scheme=scheme)
    expect(page.get_by_role("link", name=f"t-accessible-{scheme}")).to_be_visible()
    accessible(page)
