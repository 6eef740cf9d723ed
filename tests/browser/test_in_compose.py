"""The console as docker-compose.yml starts it: plain to this machine's browser, with cookies marked Secure."""

import re
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from models.schema.topics import TopicNames
from stream_app.console.people.role import Role
from stream_app.stack.local_stack import LocalStack
from tests.support.console_world import ConsoleWorld, console_world


@pytest.fixture(scope="module")
def console(
    stack: LocalStack, console_topics: TopicNames, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConsoleWorld]:
    """One that takes it that something in front of it speaks TLS."""
    folder = tmp_path_factory.mktemp("console")
    with console_world(stack, console_topics, f"{console_topics.prefix}:", folder, "--tls-proxy") as world:
        yield world


def shown(console: ConsoleWorld, name: str) -> float:
    with urllib.request.urlopen(f"{console.address}/metrics", timeout=10) as answer:
        found = re.search(rf"^{re.escape(name)} (.+)$", answer.read().decode(), flags=re.MULTILINE)
    assert found, name
    return float(found[1])


def test_people_sign_in_from_this_machine_and_their_page_is_metered(
    console: ConsoleWorld, sign_in: Callable[..., Page]
) -> None:
    page = sign_in(Role.VIEWER)
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    console.score("t-metered")
    expect(page.get_by_role("link", name="t-metered")).to_be_visible(timeout=1_000)
    assert shown(console, "fraudstream_console_open_pages") == 1
    assert shown(console, 'fraudstream_console_scores_total{part="told"}') >= 1
    assert shown(console, "fraudstream_console_feed_up") == 1
    assert shown(console, 'fraudstream_console_requests_total{status="2xx"}') > 1
    assert shown(console, "process_resident_memory_bytes") > 0
