"""Pictures of every page of a console, in light, dark and at a phone's width.

    printf 'admin %s' "$PASSWORD" | python ops/screenshots.py pictures http://127.0.0.1:8090/ [FOLDER]
    python ops/screenshots.py demo [FOLDER]      starts `fraudstream demo --stay`, takes them at its end, and ends it

The account is one line, a name and a password, on standard input: an argument would stand in the list of processes.
It should be an admin's, who sees every page. FOLDER is docs/console unless said.
"""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Error, Page, ViewportSize, sync_playwright

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "console"
CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 960}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
COLOURS: Final = 96
"""Enough for text and charts of a page; most of the bytes go with the others."""
CASES: Final = 12
"""Looked at for one that the champion scored."""
FLAGGED_MS: Final = 8_000
"""A few are flagged meanwhile, however quiet it is."""
SETTLE_MS: Final = 1000
"""Charts draw and live figures come at least once."""
LONGEST_MS: Final = 20_000
LONGEST_END_S: Final = 60.0
_RENAME: Final = """(host) => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(`${host}-`, "host-");
}"""
_ADDRESS: Final = re.compile(r"the console is at (http://\S+/)")
_ACCOUNT: Final = re.compile(r"\badmin\s+password (\S+)")
_TOLD: Final = "everything goes on at"


class ScreenshotError(Exception):
    """Raised with one line that says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class Look:
    """One way in which every page is taken."""

    name: str
    viewport: ViewportSize
    scheme: str


LOOKS: Final = (Look("light", DESKTOP, "light"), Look("dark", DESKTOP, "dark"), Look("phone", PHONE, "light"))


def _go(path: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.goto(path)

    return go


def _now(page: Page) -> None:
    page.goto("/")
    page.locator("#only-flagged").check()
    page.wait_for_timeout(FLAGGED_MS)
    page.evaluate("window.scrollTo(0, 0)")


def _card(page: Page) -> None:
    page.goto("/models")
    page.goto(_target(page, "#champion a[href^='/models/']", "no champion is on the page Models"))


def _review(page: Page) -> None:
    """The first case of the champion: before it stand those of the demo's bad model, which flagged everything."""
    page.goto("/models")
    champion = page.locator("#champion a[href^='/models/']").first.inner_text()
    page.goto("/review")
    places = page.locator("#queue .line").evaluate_all("lines => lines.map(line => line.dataset.place)")
    for place in places[:CASES]:
        page.goto(f"/review?case={place}")
        if page.locator("#case dd a[href^='/models/']").first.inner_text() == champion:
            break
    page.evaluate("window.scrollTo(0, 0)")


def _transaction(page: Page) -> None:
    _review(page)
    page.goto(_target(page, "#case-title a", "nothing waits in the page Review"))
    page.locator("#reproduce").click()
    page.evaluate("window.scrollTo(0, 0)")


PAGES: Final[dict[str, Callable[[Page], None]]] = {
    "now": _now,
    "health": _go("/health"),
    "models": _go("/models"),
    "model": _card,
    "review": _review,
    "transaction": _transaction,
    "audit": _go("/audit"),
    "people": _go("/people"),
}
"""What is taken of whom has signed in, and how one gets there; the sign-in page comes before."""
SIGN_IN: Final = "sign-in"


def file_names() -> list[str]:
    """Return the name of each picture."""
    return [f"{page}-{look.name}.png" for page in (SIGN_IN, *PAGES) for look in LOOKS]


def take(address: str, name: str, password: str, folder: Path) -> int:
    """Take every page in every look, and return how many bytes they are together."""
    folder.mkdir(parents=True, exist_ok=True)
    with _browser() as browser:
        return sum(_take_look(browser, address, (name, password), look, folder) for look in LOOKS)


def _take_look(browser: Browser, address: str, account: tuple[str, str], look: Look, folder: Path) -> int:
    context = browser.new_context(
        base_url=address,
        viewport=look.viewport,
        color_scheme="dark" if look.scheme == "dark" else "light",
        locale="en-GB",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    page = context.new_page()
    try:
        page.goto("/sign-in")
        size = _keep(page, folder / f"{SIGN_IN}-{look.name}.png")
        _sign_in(page, account)
        for name, go in PAGES.items():
            go(page)
            page.wait_for_timeout(SETTLE_MS)
            size += _keep(page, folder / f"{name}-{look.name}.png")
    finally:
        context.close()
    return size


def _sign_in(page: Page, account: tuple[str, str]) -> None:
    page.get_by_label("Name").fill(account[0])
    page.get_by_label("Password").fill(account[1])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()
    if "/sign-in" in page.url:
        raise ScreenshotError(f"{account[0]} is not let in; give a name and its password on standard input")


def _target(page: Page, selector: str, missing: str) -> str:
    link = page.locator(selector).first
    try:
        return link.get_attribute("href", timeout=LONGEST_MS) or ""
    except Error as error:
        raise ScreenshotError(f"{missing}; take the pictures while something is scored") from error


def _keep(page: Page, file: Path) -> int:
    """Write what is in the window with few colours, since pictures stay in a repository for good.

    Writers are called by the host and process that they run on: the host's name is nobody's business.
    """
    page.evaluate(_RENAME, socket.gethostname())
    with Image.open(io.BytesIO(page.screenshot(animations="disabled"))) as taken:
        few = taken.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    few.save(file, optimize=True)
    return file.stat().st_size


@contextmanager
def _browser() -> Iterator[Browser]:
    found = os.environ.get("FRAUDSTREAM_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        raise ScreenshotError("Chromium is missing; get it with: bash ops/browser.sh")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--lang=en-GB"]
        )
        try:
            yield browser
        finally:
            browser.close()


def of_demo(folder: Path) -> int:
    """Let the demo tell its story, take the pictures behind it, and end it as Ctrl-C does."""
    with tempfile.TemporaryDirectory() as scratch:
        code = "from stream_app.cli import main; main()"
        report = Path(scratch) / "report.json"
        demo = subprocess.Popen(
            [sys.executable, "-c", code, "demo", "--stay", "--report", str(report)],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            address, password = _story(demo)
            return take(address, "admin", password, folder)
        finally:
            _end(demo)


def _end(demo: subprocess.Popen[str]) -> None:
    demo.send_signal(signal.SIGINT)
    try:
        demo.communicate(timeout=LONGEST_END_S)
    except subprocess.TimeoutExpired:
        os.killpg(demo.pid, signal.SIGKILL)
        demo.wait()


def _story(demo: subprocess.Popen[str]) -> tuple[str, str]:
    """Follow what the demo says to the end of its story; return where its console is and the admin's password."""
    told = ""
    for line in demo.stderr or ():
        told += line
        if "password" not in line:
            sys.stderr.write(line)
        if _TOLD in line:
            break
    address, account = _ADDRESS.search(told), _ACCOUNT.search(told)
    if _TOLD not in told or address is None or account is None:
        raise ScreenshotError("the demo ended before its story did; `fraudstream demo --stay` says why")
    return address[1], account[1]


def main(arguments: list[str]) -> int:
    """Take the pictures, print how large they are, and return the exit code."""
    job: Callable[[Path], int]
    match arguments:
        case ["pictures", address]:
            job, folder = partial(_of_address, address), FOLDER
        case ["pictures", address, given]:
            job, folder = partial(_of_address, address), Path(given)
        case ["demo"]:
            job, folder = of_demo, FOLDER
        case ["demo", given]:
            job, folder = of_demo, Path(given)
        case _:
            sys.stderr.write(f"{__doc__}")
            return 2
    try:
        size = job(folder)
    except (ScreenshotError, Error) as error:
        sys.stderr.write(f"{str(error).splitlines()[0]}\n")
        return 1
    sys.stdout.write(f"{len(file_names())} pictures, {size / 1e6:.1f} MB, in {folder}\n")
    return 0


def _of_address(address: str, folder: Path) -> int:
    return take(address, *_account(), folder)


def _account() -> tuple[str, str]:
    match sys.stdin.readline().split():
        case [name, password]:
            return name, password
    raise ScreenshotError("give a name and its password, one line, on standard input")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
