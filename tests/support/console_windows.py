"""Browser windows on one console: somebody signed in in each, and all that the browser complains of."""

import os
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect

from stream_app.console.people.role import Role
from stream_app.demo.pages import Pages
from tests.browser.conftest import trouble

_SIZE: ViewportSize = {"width": 1360, "height": 900}


class ConsoleWindows:
    """Opens pages and keeps what their consoles say.

    Parameters
    ----------
    browser: Chromium.
    pages: the console, with an account for each role.
    """

    def __init__(self, browser: Browser, pages: Pages) -> None:
        self._browser, self._pages = browser, pages
        self.address = pages.address
        self.complaints: list[str] = []

    def open(self, role: Role, path: str) -> Page:
        """Sign in with the password that the demo told, and go to a page; a reload of it is noticed."""
        page = self._browser.new_context(base_url=self._pages.address, viewport=_SIZE).new_page()
        page.on("console", lambda message: self.complaints.extend(trouble(message)))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"sign-in?next={path}")
        page.get_by_label("Name").fill(role.word)
        page.get_by_label("Password").fill(self._pages.passwords[role.word])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.evaluate("window.loaded = 'once'")
        return page

    @staticmethod
    def never_reloaded(page: Page) -> bool:
        """Whether a page is the document that was opened."""
        return bool(page.evaluate("window.loaded === 'once'"))


def seen(page: Page, name: str) -> None:
    """Keep a picture of the page in the folder that FRAUDSTREAM_SCREENSHOTS names; without it, nothing."""
    folder = os.environ.get("FRAUDSTREAM_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
