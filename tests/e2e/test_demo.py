"""The demo from beginning to end on the run's Kafka and Redis, told once; its console in a real browser beside it."""

import itertools
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from models.registry import CHAMPION, Registry
from models.schema.drift_event import DriftEvent
from models.schema.label import Label
from models.schema.wire import decode
from stream_app.console.people.role import Role
from stream_app.stack.local_stack import LocalStack
from stream_app.top.look import Look
from tests.browser.conftest import CHROMIUM
from tests.support.console_windows import ConsoleWindows, seen
from tests.support.otlp_receiver import Receiver, receiving
from tests.support.short_demo import PLAN, ShortDemo, short_demo
from tests.support.topic_recorder import TopicRecorder
from tests.support.worker_process import wait_until

STORY_MS = 330_000.0
LIVE_MS = 5_000
"""Until a page has followed, on a machine that trains and scores beside it."""
WATCH = """([selector, pattern]) => {
    window.shown = [];
    const look = () => {
        const text = (document.querySelector(selector)?.textContent ?? '').match(pattern)?.[0];
        if (text && window.shown.at(-1)?.[0] !== text) window.shown.push([text, Date.now()]);
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
    look();
}"""
"""Notes what a place of the page says, and since when, while nobody looks."""

pytestmark = pytest.mark.timeout(400)  # the first to ask waits for the story


@dataclass
class Shown:
    """The demo while it runs, and the windows that were opened before the first payment and left open."""

    demo: ShortDemo
    receiver: Receiver
    registry: Registry
    windows: ConsoleWindows
    now: Page
    health: Page
    models: Page

    @property
    def champion(self) -> str:
        """Who scores now."""
        found = self.registry.alias(CHAMPION)
        assert found is not None
        return found.version

    def recorded(self, topic: str) -> list[tuple[int, bytes]]:
        """When each record of a topic was written, and what it says."""
        recorder = TopicRecorder(self.demo.connections.broker, topic)
        recorder.read_to_end()
        recorder.close()
        return [(one.timestamp()[1], one.value() or b"") for part in recorder.records.values() for one in part]


@pytest.fixture(scope="module")
def shown(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """One run for all tests of this file; each waits for what it needs of it. It leaves nothing running."""
    with receiving() as receiver, sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        for name, value in {"FRAUDSTREAM_LOG_FORMAT": "json", **receiver.environment}.items():
            patch.setenv(name, value)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        before = set(psutil.Process().children())
        with short_demo(stack, tmp_path_factory.mktemp("demo")) as demo:
            windows = ConsoleWindows(browser, demo.start())
            now, health, models = (
                windows.open(role, path)
                for role, path in ((Role.VIEWER, "/"), (Role.ANALYST, "/health"), (Role.APPROVER, "/models"))
            )
            expect(now.locator("#scores tbody tr")).to_have_count(0)
            health.evaluate(WATCH, ["#health-marks li[data-kind=alarm]", r"A\d+"])
            models.evaluate(WATCH, ["#champion strong", r"m-\S+"])
            registry = Registry(stack.redis_url, demo.connections.redis_prefix)
            yield Shown(demo, receiver, registry, windows, now, health, models)
            browser.close()
        assert set(psutil.Process().children()) <= before


def test_ctrl_c_ends_everything_that_was_started_and_says_so(stack: LocalStack, tmp_path: Path) -> None:
    options = ["--stay", "--broker", stack.broker, "--redis", stack.redis_url, "--data", str(tmp_path / "data")]
    with subprocess.Popen(
        [sys.executable, "-c", "from stream_app.cli import main; main()", "demo", *options],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stderr is not None
        for line in demo.stderr:
            if "each a process of its own" in line:
                break
        started = psutil.Process(demo.pid).children(recursive=True)
        assert len(started) == 6
        demo.send_signal(signal.SIGINT)
        rest = demo.stderr.read()
        assert demo.wait(30) == 130
    assert "interrupted; ending everything that was started" in rest
    assert "nothing is left running" in rest
    assert "Traceback" not in rest
    assert not psutil.wait_procs(started, timeout=10)[1]


def test_payments_are_on_the_first_page_without_a_reload(shown: Shown) -> None:
    expect(shown.now.locator("#scores tbody tr").first).to_be_visible(timeout=STORY_MS)
    expect(shown.now.locator("#headline-text")).to_contain_text("are scored by 1 worker", timeout=STORY_MS)
    assert shown.windows.never_reloaded(shown.now)
    seen(shown.now, "now")


def test_the_drift_alarm_is_on_an_open_page_when_it_comes(shown: Shown) -> None:
    expect(shown.health.locator("#health-marks li[data-kind=alarm]").first).to_be_attached(timeout=STORY_MS)
    expect(shown.health.locator("#health-headline")).to_contain_text("fraud")
    seen(shown.health, "health")
    events = [
        (at_ms, decode(DriftEvent, value))
        for at_ms, value in shown.recorded(shown.demo.connections.topics.drift_events)
    ]
    published_ms = min(at_ms for at_ms, event in events if event.level == "alarm")
    _, shown_ms = shown.health.evaluate("window.shown")[0]
    assert -1_000 < shown_ms - published_ms < LIVE_MS
    assert shown.windows.never_reloaded(shown.health)


def test_an_open_page_follows_every_swap_of_the_story(shown: Shown) -> None:
    result = shown.demo.result()
    (back,) = result.report.rollbacks
    assert back.before is not None
    expect(shown.models.locator("#champion")).to_contain_text(f"{shown.champion} is champion", timeout=LIVE_MS)
    table = shown.models.locator("#reigns tbody tr").all_text_contents()
    assert all(any((swap.version or "") in row for row in table) for swap in result.report.swaps)
    taken_back = next(at for at, row in enumerate(table) if back.before in row)
    assert any(back.version in row and "rolled back" in row for row in (table[taken_back - 1], table[taken_back + 1]))
    moves = shown.registry.history(CHAMPION)
    # A bad model may be taken back before a page has asked again: its reign is in the table alone then.
    lasting = [move.version for move, after in itertools.pairwise(moves) if after.at - move.at > LIVE_MS]
    said = iter(version for version, _ in shown.models.evaluate("window.shown"))
    assert all(version in said for version in [*lasting, shown.champion]), "in their order"
    expect(shown.models.locator("#champion")).to_contain_text("frozen")
    assert shown.windows.never_reloaded(shown.models)
    seen(shown.models, "models")


def test_a_short_demo_finds_a_new_tactic_retrains_and_takes_a_bad_model_back(shown: Shown) -> None:
    result, told = shown.demo.result(), shown.demo.told
    report = result.report
    assert told.getvalue().count("password ") == len(Role)
    assert report.events == result.warm_up_events + PLAN.new_events
    assert (report.lost, report.duplicated) == (0, 0)
    assert 0 < report.latency_ms.p50 <= report.latency_ms.p99
    assert report.events_per_s > 0
    alarms = [event for event in report.drift_events if event.level == "alarm"]
    assert alarms[0].kind == "performance"
    assert result.tactic.known_from <= alarms[0].day
    assert report.retrain_requests[0].day == alarms[0].day
    # A thousand customers bring so few alerts that a guardrail may take an honest candidate back; then it is told.
    promoted = [one.version for one in report.promotions]
    assert promoted or "withdrawn m-" in told.getvalue()
    (back,) = report.rollbacks
    assert back.before not in promoted
    assert 0 < back.transactions < PLAN.bad
    assert [swap.version for swap in report.swaps][-2:] == [back.before, back.version]
    # What a reader receives together has no gap between it, not even a swap: all of them cannot have come so.
    assert min(swap.gap_ms for swap in report.swaps) >= 0 < max(swap.gap_ms for swap in report.swaps)
    assert report.recall.before is not None
    assert report.recall.during is not None
    assert report.recall.during < report.recall.before
    for words in ("a new tactic begins", "DRIFT ALARM", "a retrain is asked for", "the retrainer begins", "shadow: "):
        assert words in told.getvalue()
    for words in ("let m-", "a person pushes", "ROLLED BACK", "frozen", "a burst", "In truth:"):
        assert words in told.getvalue()
    correlation_id = followed_by_its_logs(shown.demo.folder, bool(promoted))
    followed_by_its_spans(shown.receiver, correlation_id)


def test_everything_goes_on_behind_the_story(shown: Shown) -> None:
    report, to = shown.demo.result().report, shown.demo.connections
    with Look(to.broker, to.redis_url, to.topics, to.redis_prefix) as look:
        wait_until(lambda: sum(part.scored for part in look.take().partitions) > report.events + 100, "more is scored")
    with urllib.request.urlopen(f"{shown.windows.address}healthz", timeout=10) as answer:
        assert answer.status == 200


def test_an_analyst_confirms_a_fraud_and_the_label_is_on_the_topic(shown: Shown) -> None:
    shown.demo.result()
    page = shown.windows.open(Role.ANALYST, "/review")
    expect(page.locator("#opened")).to_be_visible()
    mine = page.locator("#opened").get_attribute("data-id")
    expect(page.get_by_role("heading", name="This card before")).to_be_visible()
    seen(page, "review")
    page.get_by_role("button", name="Fraud").click()
    expect(page.locator("#said")).to_contain_text(f"{mine}: stated as fraud")
    labels = [decode(Label, value) for _, value in shown.recorded(shown.demo.connections.topics.labels)]
    (label,) = [one for one in labels if one.transaction_id == mine and one.label_source == "analyst"]
    assert label.is_fraud
    page.context.close()


def test_a_decision_of_the_running_system_is_reproduced_with_an_equal_score(shown: Shown) -> None:
    shown.demo.result()
    page = shown.windows.open(Role.VIEWER, "/")
    page.get_by_role("button", name="Pause").click()
    page.locator("#scores tbody a").first.click()
    expect(page.locator("#sum")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="Reproduce the score").click()
    expect(page.locator("#reproduction")).to_contain_text("Equal, bit for bit", timeout=20_000)
    seen(page, "transaction")
    page.context.close()


def test_two_people_promote_one_rolls_back_and_the_open_page_follows(shown: Shown) -> None:
    bad = shown.demo.result().report.rollbacks[-1].before
    champion = shown.champion
    other = next(version for version in shown.registry.versions() if version not in {champion, bad})
    mine = shown.windows.open(Role.APPROVER, "/models")
    expect(mine.locator("#two-persons")).to_contain_text("Promotions by hand need two persons")
    mine.goto(f"models/{other}")
    act(mine, "#promote", "it did well before", f"Propose to promote {other}")
    expect(mine.locator("#said")).to_contain_text(f"{other} is proposed")
    assert shown.champion == champion
    second = shown.windows.open(Role.ADMIN, "/models")
    act(second, "#waiting .act", "I looked at it", "Approve")
    expect(second.locator("#said")).to_contain_text(f"Champion is now {other}")
    expect(shown.models.locator("#champion")).to_contain_text(f"{other} is champion", timeout=LIVE_MS)
    act(second, "#roll-back", "too many alerts", f"Roll back to {champion}")
    expect(second.locator("#said")).to_contain_text(f"Champion is now {champion}")
    expect(shown.models.locator("#champion")).to_contain_text(f"{champion} is champion", timeout=LIVE_MS)
    expect(shown.now.locator("#champion")).to_contain_text(champion, timeout=LIVE_MS)
    assert shown.windows.never_reloaded(shown.models)
    told = [(one.actor, one.reason) for one in shown.registry.audit()]
    assert {("admin", "I looked at it"), ("admin", "too many alerts")} <= set(told)
    seen(second, "models-after")
    second.goto(f"models/{champion}")
    expect(second.locator("#verification")).to_contain_text("golden vectors score as they did", timeout=20_000)
    seen(second, "model")
    second.context.close()
    mine.context.close()


def test_the_audit_of_the_run_holds(shown: Shown) -> None:
    shown.demo.result()
    page = shown.windows.open(Role.VIEWER, "/audit")
    expect(page.locator("#chain")).to_contain_text("chain holds")
    page.get_by_role("button", name="Verify everything").click()
    expect(page.locator("#whole")).to_contain_text("Everything holds.", timeout=20_000)
    seen(page, "audit")
    page.context.close()


def test_the_browser_complained_of_nothing(shown: Shown) -> None:
    shown.demo.result()
    for page, name in ((shown.now, "now-after"), (shown.health, "health-after"), (shown.models, "models-last")):
        expect(page.locator("#live")).to_have_attribute("data-state", "on")
        seen(page, name)
    assert shown.windows.complaints == []


def act(page: Page, place: str, reason: str, button: str) -> None:
    """Give a reason and press a button."""
    there = page.locator(place)
    there.get_by_label("Reason, for the audit").fill(reason)
    there.get_by_role("button", name=button).click()


def followed_by_its_logs(folder: Path, promoted: bool) -> str:
    """From the first alarm on, all that it set off stands in the logs of all processes under one id; return that."""
    lines = [
        {**json.loads(line), "file": path.stem}
        for path in sorted(folder.glob("*/*.log"))
        if path.stem in {"archive", "retrain", "score", "watch"}
        for line in path.read_text().splitlines(keepends=True)
        if line.endswith("\n")  # the last one may be half written: everything goes on
    ]
    assert {line["process"] for line in lines} == {"archive", "retrain", "score", "watch"}
    alarm = next(line for line in lines if line["message"].startswith("published drift.alarm"))
    correlation_id: str = alarm["correlation_id"]
    chain = sorted(
        (line for line in lines if line.get("correlation_id") == correlation_id), key=lambda one: one["time"]
    )
    said = [f"{line['process']}: {line['message']}" for line in chain]
    at = -1
    for words in (
        "watch: published drift.alarm",
        "watch: published retrain.request",
        "retrain: took request",
        ": trains on {",
        "retrain: training: ",
        "retrain: request ",
    ):
        at = next(i for i, line in enumerate(said) if i > at and words in line)
    request = next(line for line in chain if line["message"].startswith("published retrain.request"))
    assert request["causation_id"] == alarm["event_id"]
    assert any(
        line["event_id"] == alarm["causation_id"]
        for line in lines
        if line["process"] == "archive" and "event_id" in line
    )
    if promoted:  # the scorers hear of a move by themselves, before or after the release loop has told it
        told = ("registered m-", "shadow started", "score: placement", "promoted", "score: champion m-")
        assert all(any(words in line for line in said[at:]) for words in told)
    return correlation_id


def followed_by_its_spans(receiver: Receiver, correlation_id: str) -> None:
    """The same as one trace, from the commit that closed the day to the request's steps."""
    chain = [span for span in receiver.spans if span.attributes.get("fraudstream.correlation_id") == correlation_id]
    taken = next(span for span in chain if span.name == "process retrain-requests")
    trace = {(span.service, span.name) for span in receiver.spans if span.trace == taken.trace}
    assert {
        ("fraudstream-archive", "commit tables"),
        ("fraudstream-watch", "close day: drift"),
        ("fraudstream-retrain", "pin data"),
        ("fraudstream-training", "train"),
        ("fraudstream-training", "read archive"),
        ("fraudstream-retrain", "act on the verdict"),
    } <= trace
    batch = max(
        (span for span in receiver.spans if span.service == "fraudstream-score" and span.kind == "consumer"),
        key=lambda span: span.attributes["messaging.batch.message_count"],
    )
    below = ["decode", "features", "model", "reasons", "encode scores", "encode features", "send scores"]
    assert set(below) <= set(receiver.children(batch))
