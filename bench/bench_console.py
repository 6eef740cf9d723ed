"""What open pages cost scoring: one worker at 10,000 events/s alone, beside a console, and beside one with 20 pages.

Kinds of rounds take turns on one worker, whose CPU time per event is compared. A page here is what costs the server,
its thread of live events, for the browsers of people run elsewhere. One page says how long an event takes from Kafka to
the page; a real browser says, while all that goes on, when the first page is painted and how much it loads.
"""

import argparse
import asyncio
import json
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import httpx
from playwright.sync_api import Page, sync_playwright

from bench.paced_sender import Order, PacedSender
from bench.peer import REDIS_PREFIX, Place, scoring_worker
from bench.worker import Worker
from bench.workload import Workload, promote_model
from models.schema.topics import TopicNames
from stream_app.console.feed.event_reader import console_consumer
from stream_app.console.people.accounts import Accounts
from stream_app.console.people.role import Role
from stream_app.stack.local_stack import LocalStack
from stream_app.stack.port import free_ports
from stream_app.topic_admin import create_topics
from stream_app.watermarks import watermarks

RATE: Final = 10_000
PAGES: Final = 20
ROUND_S: Final = 8
WARM_UP: Final = 40_000
PARTITIONS: Final = 4
KINDS: Final = ("alone", "console", "pages")
PASSWORD: Final = "a bench needs no better one"
FOLLOWED: Final = "score,tick,model,drift"
DEADLINE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """What the rounds have measured.

    Attributes
    ----------
    worker_events_per_cpu_s: by kind of round, the median.
    worker_ratio: with pages over alone, round by round, the median.
    console_cpu_share: of a core, without and with pages.
    on_page_ms: from Kafka's timestamp of a score to its receipt by a page, median, 99th percentile, largest.
    first_paint_ms: of the first page in a browser, median.
    page_kb: all that it loads, by decoded size.
    """

    worker_events_per_cpu_s: dict[str, float]
    worker_ratio: float
    console_cpu_share: dict[str, float]
    on_page_ms: tuple[float, float, float]
    first_paint_ms: float
    page_kb: float


class OpenPages:
    """Threads of live events, as many as there are pages, read on an event loop of their own.

    Parameters
    ----------
    address: of the console.
    count: of pages.
    """

    def __init__(self, address: str, count: int) -> None:
        self._address, self._count = address, count
        self.delays_ms: list[float] = []
        self._stopping = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._follow()])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._loop.close()

    async def _follow(self) -> None:
        async with httpx.AsyncClient(base_url=self._address, timeout=None) as client:
            form = (await client.get("/sign-in")).text
            (token,) = re.findall(r'name="csrf-token" content="([^"]+)"', form)
            fields = {"name": "viewer", "password": PASSWORD, "csrf_token": token}
            assert (await client.post("/sign-in", data=fields)).status_code == 303
            pages = [asyncio.create_task(self._page(client, measures=not number)) for number in range(self._count)]
            await self._stopping.wait()
            for page in pages:
                page.cancel()
            await asyncio.gather(*pages, return_exceptions=True)

    async def _page(self, client: httpx.AsyncClient, *, measures: bool) -> None:
        async with client.stream("GET", f"/events?kinds={FOLLOWED}") as answer:
            kind = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif measures and kind == "score" and line.startswith("data: "):
                    now_ms = time.time() * 1000
                    self.delays_ms += [now_ms - one["at_ms"] for one in json.loads(line.removeprefix("data: "))]


class Bench:
    """A stack with one worker under traffic."""

    def __init__(self, stack: LocalStack, place: Place, workload: Workload, sender: PacedSender) -> None:
        self._place, self._workload, self._sender = place, workload, sender
        self._stack = stack
        self._consumer = console_consumer(stack.broker)
        self._sent = 0
        self._figures: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self._shares: dict[str, list[float]] = {kind: [] for kind in KINDS[1:]}
        self._delays_ms: list[float] = []
        self._paints_ms: list[float] = []
        self._page_kb = 0.0
        (self._port,) = free_ports(1)
        accounts = Accounts(place.folder / "console-users.json")
        accounts.keep("viewer", accounts.made("viewer", Role.VIEWER, PASSWORD, 1))

    @property
    def address(self) -> str:
        """Of the console."""
        return f"http://127.0.0.1:{self._port}"

    def run(self, rounds: int) -> Found:
        """Let the kinds of rounds take turns."""
        with scoring_worker(self._place) as worker:
            self._send(worker, WARM_UP)
            for number in range(rounds):
                # Each time in another order: what a machine does meanwhile falls on all of them.
                for kind in KINDS[number % 3 :] + KINDS[: number % 3]:
                    self._round(worker, kind)
            with self._console() as console:
                self._paint(worker, console)
        self._consumer.close()
        ordered = sorted(self._delays_ms)
        ratios = [pages / alone for pages, alone in zip(self._figures["pages"], self._figures["alone"], strict=True)]
        return Found(
            {kind: statistics.median(found) for kind, found in self._figures.items()},
            statistics.median(ratios),
            {kind: statistics.median(found) for kind, found in self._shares.items()},
            (statistics.median(ordered), ordered[int(0.99 * len(ordered))], ordered[-1]),
            statistics.median(self._paints_ms),
            self._page_kb,
        )

    def _round(self, worker: Worker, kind: str) -> None:
        with ExitStack() as opened:
            console = None if kind == "alone" else opened.enter_context(self._console())
            pages = opened.enter_context(OpenPages(self.address, PAGES)) if kind == "pages" else None
            self._send(worker, RATE)
            before_s, started = 0.0 if console is None else console.cpu_s(), time.monotonic()
            self._figures[kind].append(self._send(worker, RATE * ROUND_S))
            if console is not None:
                self._shares[kind].append((console.cpu_s() - before_s) / (time.monotonic() - started))
            if pages is not None:
                self._delays_ms += pages.delays_ms

    def _send(self, worker: Worker, count: int) -> float:
        """Send at the rate, wait until all is scored; return the worker's events per CPU second."""
        before_s = worker.cpu_s()
        self._sender.begin(Order(self._place.topics.transactions, self._sent, count, RATE))
        self._sender.finish()
        self._sent += count
        until = time.monotonic() + DEADLINE_S
        while self._scored() < self._sent:
            worker.require_alive()
            assert time.monotonic() < until, f"{self._scored()} of {self._sent} scored after {DEADLINE_S:g} s"
            time.sleep(0.05)
        return count / (worker.cpu_s() - before_s)

    def _scored(self) -> int:
        topic = self._place.topics.scores
        return sum(watermarks(self._consumer, topic, partition)[1] for partition in range(PARTITIONS))

    @contextmanager
    def _console(self) -> Iterator[Worker]:
        options = ["console", "--web-port", str(self._port), "--group", self._place.topics.prefix]
        environment = {
            "FRAUDSTREAM_BROKER": self._stack.broker,
            "FRAUDSTREAM_REDIS": self._stack.redis_url,
            "FRAUDSTREAM_DATA": str(self._place.folder),
            "FRAUDSTREAM_TOPIC_PREFIX": self._place.topics.prefix,
            "FRAUDSTREAM_REDIS_PREFIX": REDIS_PREFIX,
        }
        with Worker.fraudstream(options, environment, self._place.folder / "console.log") as console:
            _until(self._answers, console)
            yield console

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def _paint(self, worker: Worker, console: Worker) -> None:
        """Load the first page again and again while transactions come and pages are open."""
        with OpenPages(self.address, PAGES), sync_playwright() as playwright:
            name = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
            browser = playwright.chromium.launch(executable_path=name, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(base_url=self.address)
            page.goto("/sign-in")
            page.get_by_label("Name").fill("viewer")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/")
            self._sender.begin(Order(self._place.topics.transactions, self._sent, RATE * ROUND_S, RATE))
            for _ in range(5):
                self._paints_ms.append(_first_paint_ms(page))
                page.wait_for_timeout(500)
            loaded = "performance.getEntriesByType('resource').reduce((sum, one) => sum + one.decodedBodySize, 0)"
            self._page_kb = (page.evaluate(loaded) + len(page.content())) / 1000
            self._sender.finish()
            self._sent += RATE * ROUND_S
            browser.close()
        console.require_alive()
        worker.require_alive()


def _first_paint_ms(page: Page) -> float:
    page.reload()
    until = time.monotonic() + DEADLINE_S
    # Not wait_for_function, which the policy of the pages forbids.
    while (painted := page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")) is None:
        assert time.monotonic() < until, "nothing is painted"
        time.sleep(0.02)
    return float(painted)


def _until(reached: Callable[[], bool], console: Worker) -> None:
    until = time.monotonic() + DEADLINE_S
    while not reached():
        console.require_alive()
        assert time.monotonic() < until, "the console is not ready"
        time.sleep(0.05)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    events = WARM_UP + RATE * (ROUND_S + 1) * len(KINDS) * asked.rounds + RATE * ROUND_S
    with tempfile.TemporaryDirectory() as name, LocalStack(Path(name) / "stack") as stack:
        folder, topics = Path(name) / "work", TopicNames("bench-console.")
        folder.mkdir()
        create_topics(stack.broker, topics, PARTITIONS)
        promote_model(stack.redis_url, REDIS_PREFIX, folder)
        workload = Workload.simulated(events)
        with PacedSender(stack.broker, workload.messages, folder) as sender:
            place = Place(stack.broker, stack.redis_url, topics, folder)
            found = Bench(stack, place, workload, sender).run(asked.rounds)
    _print(found, as_json=asked.json)
    return 0


def _print(found: Found, *, as_json: bool) -> None:
    if as_json:
        figures: dict[str, Any] = asdict(found)
        print(json.dumps(figures))
        return
    for kind, events in found.worker_events_per_cpu_s.items():
        share = found.console_cpu_share.get(kind)
        beside = "" if share is None else f"; the console takes {share:.1%} of a core"
        print(f"{kind:>8}: {events:,.0f} events a CPU second of the worker{beside}")
    print(f"with {PAGES} pages over alone, round by round: {found.worker_ratio:.3f}")
    median, most, worst = found.on_page_ms
    print(f"from Kafka to the page: {median:.0f} ms median, {most:.0f} ms 99 %, {worst:.0f} ms at most")
    print(f"first paint {found.first_paint_ms:.0f} ms, {found.page_kb:.0f} kB loaded")


if __name__ == "__main__":
    sys.exit(main())
