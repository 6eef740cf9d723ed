"""A real worker behind the first page: figures that are true, and a swap that the page follows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from stream_app.chaos.tiny_models import TinyModels
from stream_app.console.people.role import Role
from tests.support.console_world import ConsoleWorld
from tests.support.payments import payments
from tests.support.scoring_world import ScoringWorld
from tests.support.worker_process import wait_until

SignIn = Callable[..., Page]


@pytest.fixture(scope="module")
def scoring(console: ConsoleWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringWorld]:
    """A worker on the topics of the console."""
    folder = tmp_path_factory.mktemp("scoring")
    models = TinyModels(folder)
    stack = console.stack
    world = ScoringWorld(stack.broker, stack.redis_url, console.redis_prefix, console.topics, folder, models, 4)
    world.promote(models.first)
    world.start()
    yield world
    world.close()


def test_the_page_tells_what_the_worker_does(console: ConsoleWorld, scoring: ScoringWorld, sign_in: SignIn) -> None:
    # The console looks for the group under which workers score.
    assert console.process is not None
    console.process.kill()
    console.start("--group", scoring.group)
    page = sign_in(Role.VIEWER)
    scoring.send(payments(400))
    scoring.wait_for_scores(400)
    expect(page.locator("#headline-text")).to_contain_text("All 4 partitions are scored by 1 worker", timeout=20_000)
    expect(page.locator("#champion")).to_contain_text(scoring.models.first.version)
    scoring.send(payments(400, part=1))
    expect(page.locator("#latency-about")).to_contain_text("sampled in the last minute", timeout=10_000)
    expect(page.locator("#waiting")).to_have_text("0", timeout=10_000)
    positions = page.locator("#partitions tbody tr td:nth-child(2)")
    expect(positions).to_have_count(4)
    wait_until(
        lambda: sum(int(text.replace(",", "")) for text in positions.all_inner_texts()) == 800,
        lambda: f"800 scored: {positions.all_inner_texts()}",
    )
    assert "showing" in page.locator("#sample").inner_text()
    page.wait_for_timeout(3000)
    page.screenshot(path="/tmp/core-now.png", full_page=True)
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_timeout(500)
    page.screenshot(path="/tmp/core-now-phone.png", full_page=True)


def test_a_swap_is_on_the_page_without_a_reload(console: ConsoleWorld, scoring: ScoringWorld, sign_in: SignIn) -> None:
    page = sign_in(Role.VIEWER)
    page.evaluate("window.loaded = 'once'")
    version = scoring.promote(scoring.models.second)
    expect(page.locator("#champion")).to_contain_text(version, timeout=5_000)
    expect(page.locator("#workers tbody")).to_contain_text(version, timeout=15_000)
    assert page.evaluate("window.loaded") == "once"


def test_a_worker_that_dies_is_told_with_what_waits(
    console: ConsoleWorld, scoring: ScoringWorld, sign_in: SignIn, tmp_path: Path
) -> None:
    page = sign_in(Role.VIEWER)
    for worker in scoring.workers:
        worker.kill()
    scoring.send(payments(200, part=2))
    expect(page.locator("#headline-text")).to_contain_text("200 transactions wait", timeout=20_000)
    expect(page.locator("#headline-word")).to_have_text("Broken")
