"""The console in a real browser: one process and one browser for each file, fresh topics and keys."""

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from models.schema.topics import TopicNames
from stream_app.console.people.role import Role
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics, delete_topics
from tests.support.console_world import PASSWORD, ConsoleWorld, console_world

CHROMIUM = os.environ.get("FRAUDSTREAM_CHROMIUM") or next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), "chromium"
)
PHONE = {"width": 360, "height": 740}
REFUSAL = re.compile(r"responded with a status of (400|403|409) ")
"""What a person is told on the page, the browser tells as well."""
SERIOUS = {"serious", "critical"}

SignIn = Callable[..., Page]

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def console_topics(stack: LocalStack) -> Iterator[TopicNames]:
    """Topics of this file alone, gone after it; four partitions."""
    names = TopicNames(f"b{os.getpid()}-{next(_numbers)}.")
    create_topics(stack.broker, names)
    yield names
    delete_topics(stack.broker, names.all())


@pytest.fixture(scope="module")
def console(
    stack: LocalStack, console_topics: TopicNames, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConsoleWorld]:
    """The real `fraudstream console`, with somebody in each role, whose name is the role's."""
    folder = tmp_path_factory.mktemp("console")
    with console_world(stack, console_topics, f"{console_topics.prefix}:", folder) as world:
        yield world


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def sign_in(browser: Browser, console: ConsoleWorld) -> Iterator[SignIn]:
    """Signs somebody in: `page = sign_in(Role.ANALYST, "/review", viewport=PHONE, color_scheme="dark")`.

    At the end of the test nothing may have been said in the browser's console, which is where errors of scripts and
    violations of the content security policy are told.
    """
    contexts: list[BrowserContext] = []
    told: list[str] = []

    def enter(role: Role, path: str = "/", **context: object) -> Page:
        made = browser.new_context(base_url=console.address, **context)  # type: ignore[arg-type]  # passed on
        contexts.append(made)
        page = made.new_page()
        page.on("console", lambda message: told.extend(trouble(message)))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(f"/sign-in?next={path}")
        page.get_by_label("Name").fill(role.word)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{path}")
        return page

    yield enter
    for context in contexts:
        context.close()
    assert not told, told


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Checks that axe finds nothing serious on a page as it stands."""
    axe = Axe()

    def check(page: Page) -> None:
        found = axe.run(page).response["violations"]
        serious = [
            f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']][:3]}"
            for one in found
            if one["impact"] in SERIOUS
        ]
        assert not serious, "\n".join(serious)

    return check


def trouble(message: ConsoleMessage) -> list[str]:
    """What a message in the browser's console says of an error, a warning or a violation."""
    lost = "net::ERR_CONNECTION_REFUSED" in message.text or "net::ERR_INCOMPLETE_CHUNKED_ENCODING" in message.text
    refused = REFUSAL.search(message.text) is not None
    return [] if message.type not in {"error", "warning"} or lost or refused else [f"{message.type}: {message.text}"]
