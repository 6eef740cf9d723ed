"""The demo from beginning to end, on the run's Kafka and Redis."""

import io
import json
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from models.schema.topics import TopicNames
from stream_app.console.people.role import Role
from stream_app.demo.narrator import Narrator
from stream_app.demo.plan import DemoPlan
from stream_app.demo.report import DemoResult
from stream_app.demo.staying import Staying
from stream_app.demo.story import Demo
from stream_app.stack.local_stack import LocalStack
from stream_app.top.look import Look
from stream_app.topic_admin import admin_client
from stream_app.worker_processes import Connections
from tests.support.otlp_receiver import Receiver, receiving

PLAN = DemoPlan(
    events=28_000,
    rate=1_000.0,  # a day in two seconds: terminal profiles, which are made every 6 event hours, keep up
    release=12_000,
    bad=3_000,
    burst=4_000,
    customers=1_000,
    terminals=200,
    transactions_per_day=2_000,
    tactic_share=0.02,
    review_share=0.02,
    stage=2_000,
    refit={"num_iterations": 30, "learning_rate": 0.2, "num_leaves": 15},
)


TOPICS_GO_S = 60


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Takes the spans of all processes."""
    with receiving() as found:
        yield found


@pytest.fixture
def connections(stack: LocalStack) -> Iterator[Connections]:
    """Topics and keys of this test alone; the topics go with it."""
    run = f"demo-{secrets.token_hex(4)}"
    names = TopicNames(f"{run}.")
    yield Connections(stack.broker, stack.redis_url, names, f"{run}:")
    admin = admin_client(stack.broker)
    for future in admin.delete_topics(list(names.all())).values():
        future.exception(TOPICS_GO_S)


@pytest.mark.timeout(400)  # two models and 64 event days through every process; a busy machine takes minutes
def test_a_short_demo_finds_a_new_tactic_retrains_and_takes_a_bad_model_back(
    connections: Connections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    for name, value in {"FRAUDSTREAM_LOG_FORMAT": "json", **receiver.environment}.items():
        monkeypatch.setenv(name, value)
    told, before = io.StringIO(), set(psutil.Process().children())
    narrator = Narrator(Console(file=told, width=200))
    visit = Visit(Staying(connections, tmp_path, narrator, 200.0, None, lambda _result: None), connections)
    result = Demo(PLAN, connections, tmp_path, narrator, code_commit="").run(visit)
    report = result.report
    assert visit.pages_at_the_end == 200
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
    assert all(swap.gap_ms > 0 for swap in report.swaps)
    assert report.recall.before is not None
    assert report.recall.during is not None
    assert report.recall.during < report.recall.before
    for words in ("a new tactic begins", "DRIFT ALARM", "a retrain is asked for", "the retrainer begins", "shadow: "):
        assert words in told.getvalue()
    for words in ("let m-", "a person pushes", "ROLLED BACK", "frozen", "a burst", "In truth:"):
        assert words in told.getvalue()
    assert set(psutil.Process().children()) == before
    correlation_id = followed_by_its_logs(tmp_path, bool(promoted))
    followed_by_its_spans(receiver, correlation_id)


class Visit:
    """Stays until the console has answered and more is scored than the story holds."""

    def __init__(self, staying: Staying, connections: Connections) -> None:
        self._staying, self._connections = staying, connections
        self.rate = staying.rate
        self.pages_at_the_end = 0

    def begin(self, stack: ExitStack) -> None:
        self._staying.begin(stack)

    def go_on(self, result: DemoResult, check: Callable[[], None]) -> None:
        pages, connections = self._staying._pages, self._connections
        assert pages is not None
        with Look(connections.broker, connections.redis_url, connections.topics, connections.redis_prefix) as look:

            def look_around() -> None:
                check()
                with urllib.request.urlopen(f"{pages.address}healthz", timeout=10) as answer:
                    self.pages_at_the_end = answer.status
                if sum(partition.scored for partition in look.take().partitions) > result.report.events + 100:
                    raise KeyboardInterrupt

            self._staying.go_on(result, look_around)


def followed_by_its_logs(folder: Path, promoted: bool) -> str:
    """From the first alarm on, all that it set off stands in the logs of all processes under one id; return that."""
    lines = [
        {**json.loads(line), "file": path.stem}
        for path in sorted(folder.glob("*/*.log"))
        if path.stem in {"archive", "retrain", "score", "watch"}
        for line in path.read_text().splitlines()
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
