"""`fraudstream top` on a real Kafka and Redis."""

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress

import msgspec
import pytest
import redis
from confluent_kafka import Producer

from models.schema import wire
from models.schema.score import Decision, Score
from models.schema.topics import TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.top.look import Look
from stream_app.watch.history.announcement import of_request
from stream_app.worker_status import WorkerStatus, workers_key
from tests.support.payments import payments
from tests.unit.stream_app.retrain.fakes import request

pytestmark = pytest.mark.parametrize("topics", [2], indirect=True)
SENT, SCORED = 3_000, 2_900
NOW_MS = time.time_ns() // 1_000_000


def score(offset: int) -> bytes:
    decision: Decision = "review" if offset % 10 == 0 else "approve"
    return wire.encode(
        Score(
            f"t{offset}", 1_525_132_800_000, "c1", 0.5, 500, decision, [], "m-1", "fs-1", "champion", NOW_MS, False,
            False, offset, 0, "w",
        )
    )  # fmt: skip


@pytest.fixture
def filled(stack: LocalStack, topics: TopicNames, redis_prefix: str, redis_client: redis.Redis) -> TopicNames:
    """Transactions of which the last hundred of partition 0 are not scored, a worker, and a request."""
    producer = Producer({"bootstrap.servers": stack.broker, "linger.ms": 5, "log_level": 0})
    (payment,) = payments(1, cards=1)
    for offset in range(SENT):
        producer.produce(topics.transactions, msgspec.json.encode(payment), b"c1", partition=0)
        if offset < SCORED:
            producer.produce(topics.scores, score(offset), b"c1", partition=0)
        producer.poll(0)
    announced = of_request(request("drift"), cause=None)
    headers: list[tuple[str, str | bytes | None]] = [*announced.event.headers()]
    producer.produce(topics.retrain_requests, announced.value, announced.key.encode(), headers=headers)
    assert producer.flush(30) == 0
    now_ms = time.time_ns() // 1_000_000
    worker = WorkerStatus("host-1", 1, None, True, "m-1", 1, 0, [0, 1], now_ms + 60_000, models=["m-1"])
    redis_client.hset(workers_key(redis_prefix), "host-1", msgspec.json.encode(worker))
    return topics


def test_a_look_reads_little_and_sees_lag_rate_alerts_latency_workers_and_findings(
    stack: LocalStack, filled: TopicNames, redis_prefix: str
) -> None:
    ticks = iter([10.0, 12.0])
    with Look(stack.broker, stack.redis_url, filled, redis_prefix, lambda: next(ticks)) as look:
        first = look.take()
        assert first.scored_per_s is None
        producer = Producer({"bootstrap.servers": stack.broker, "log_level": 0})
        producer.produce(filled.scores, b"no score", b"c1", partition=0)
        for offset in range(SCORED, SCORED + 49):
            producer.produce(filled.scores, score(offset), b"c1", partition=0)
        assert producer.flush(30) == 0
        picture = look.take()
    assert [(one.end, one.scored) for one in first.partitions] == [(SENT, SCORED), (0, 0)]
    assert (picture.lag, picture.scored_per_s, picture.received_per_s) == (51, 25.0, 0.0)
    assert (picture.sample.scores, picture.sample.review) == (49, 5)
    assert len(picture.sample.latency_ms) == 49
    assert [worker.writer for worker in picture.workers] == ["host-1"]
    assert [(one.kind, one.text.split(":")[0]) for one in picture.findings] == [("retrain", "asked by watch/drift")]
    assert picture.silent is None


def test_once_prints_one_picture_into_a_pipe_and_ends(stack: LocalStack, filled: TopicNames, redis_prefix: str) -> None:
    options = ["--broker", stack.broker, "--redis", stack.redis_url]
    options += ["--topic-prefix", filled.prefix, "--redis-prefix", redis_prefix]
    ended = subprocess.run(
        [sys.executable, "-c", "from stream_app.cli import main; main()", "top", "--once", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert "100 wait" in ended.stdout
    assert "10.0% flagged" in ended.stdout
    assert "\x1b" not in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80


@pytest.mark.parametrize("terminal", [False, True])
def test_it_draws_anew_each_second_until_ctrl_c(
    stack: LocalStack, filled: TopicNames, redis_prefix: str, terminal: bool
) -> None:
    options = ["--broker", stack.broker, "--redis", stack.redis_url]
    options += ["--topic-prefix", filled.prefix, "--redis-prefix", redis_prefix]
    command = [sys.executable, "-c", "from stream_app.cli import main; main()", "top", *options]
    ours, its = pty.openpty() if terminal else os.pipe()
    with subprocess.Popen(command, stdout=its, stderr=subprocess.STDOUT, start_new_session=True) as top:
        os.close(its)
        seen = b""
        while seen.count(b"events/s") < 3:
            seen += os.read(ours, 1 << 16)
        top.send_signal(signal.SIGINT)
        with suppress(OSError):  # how a terminal ends
            while rest := os.read(ours, 1 << 16):
                seen += rest
        os.close(ours)
        assert top.wait(30) == 0
    assert b"100 wait" in seen
    assert b"Traceback" not in seen
    assert (b"\x1b[?1049h" in seen) is terminal


def test_redis_that_is_silent_is_said_and_kafka_is_shown_all_the_same(
    stack: LocalStack, filled: TopicNames, redis_prefix: str
) -> None:
    with Look(stack.broker, "redis://127.0.0.1:1/0", filled, redis_prefix) as look:
        picture = look.take()
    assert picture.silent is not None
    assert "127.0.0.1:1" in picture.silent
    assert picture.lag == 100
