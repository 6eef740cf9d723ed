"""`fraudstream replay` and `fraudstream label` on a real broker."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis

from models.schema.topics import TopicNames
from stream_app.cli import run
from stream_app.stack.local_stack import LocalStack
from tests.integration.producers.records import decoded, read

MIDNIGHT_MS = 1_522_540_800_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ROWS = 4000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days in the handbook's columns, every hundredth row a fraud."""
    path = tmp_path_factory.mktemp("history") / "history.parquet"
    numbers = np.arange(ROWS)
    table = pa.table(
        {
            "TRANSACTION_ID": pa.array(numbers, pa.int32()),
            "TX_DATETIME": pa.array(MIDNIGHT_MS + numbers * 10 * DAY_MS // ROWS, pa.timestamp("ms")),
            "CUSTOMER_ID": pa.array(numbers % 97, pa.int16()),
            "TERMINAL_ID": pa.array(numbers % 31, pa.int16()),
            "TX_AMOUNT": pa.array(numbers % 50 + 0.5),
            "TX_FRAUD": pa.array(numbers % 100 == 0, pa.int8()),
        }
    )
    pq.write_table(table, path)
    return path


def command(name: str, file: Path, stack: LocalStack, topics: TopicNames, *options: str) -> list[str]:
    return [name, str(file), "--broker", stack.broker, "--topic-prefix", topics.prefix, *options]


class Scorers:
    """Reports in Redis what live workers would, one step behind the clock topic until it is released."""

    def __init__(self, client: "redis.Redis", prefix: str, stack: LocalStack, topics: TopicNames) -> None:
        self.client, self.key = client, f"{prefix}workers"
        self.stack, self.topics = stack, topics
        self.ticks: list[dict[str, object]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._report(0)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _follow(self) -> None:
        while not self._over.is_set():
            ticks = decoded(read(self.stack.broker, self.topics.clock, 100, within_s=0.3))
            self.ticks = ticks
            self._report(ticks[-1]["as_of"] if ticks else 0)

    def _report(self, as_of: int) -> None:
        status = {"writer": "w1", "profiles_as_of": as_of, "at": int(time.time() * 1000)}
        self.client.hset(self.key, "w1", json.dumps(status))


def test_a_file_is_sent_whole_with_the_labels_that_fall_due(
    stack: LocalStack, topics: TopicNames, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command("replay", file, stack, topics, "--mapping", "handbook", "--labels")) == 0
    transactions = decoded(read(stack.broker, topics.transactions, ROWS))
    assert {one["transaction_id"] for one in transactions} == {f"h{number}" for number in range(ROWS)}
    # The last step ends at the last midnight, and with it what is known then.
    labels = decoded(read(stack.broker, topics.labels, 13))
    assert all(one["labelled_at"] == one["event_time"] + 7 * DAY_MS for one in labels)
    assert max(one["labelled_at"] for one in labels) <= MIDNIGHT_MS + 10 * DAY_MS
    out = capsys.readouterr().out
    assert out.startswith("4,000 transactions, 13 labels delivered in ")
    assert "27 labels not due yet" in out


def test_two_replays_of_adjoining_days_send_what_one_would(stack: LocalStack, topics: TopicNames, file: Path) -> None:
    options = ("--mapping", "handbook", "--labels", "--label-delay-days", "2")
    assert run(command("replay", file, stack, topics, *options, "--to-day", "4")) == 0
    assert run(command("replay", file, stack, topics, *options, "--from-day", "4", "--to-day", "6")) == 0
    transactions = decoded(read(stack.broker, topics.transactions, ROWS * 6 // 10))
    # Frauds of the first four days, the one at the last midnight too: it is known at the end of the range.
    labels = decoded(read(stack.broker, topics.labels, 17))
    assert len(transactions) == ROWS * 6 // 10
    assert sorted(int(one["transaction_id"][1:]) for one in labels) == list(range(0, 1700, 100))


def test_in_lockstep_every_step_waits_for_the_scorers(
    stack: LocalStack, topics: TopicNames, file: Path, redis_client: "redis.Redis", redis_prefix: str
) -> None:
    options = ["--mapping", "handbook", "--labels", "--label-delay-days", "0.5", "--to-day", "1", "--lockstep"]
    options += ["--redis", stack.redis_url, "--redis-prefix", redis_prefix]
    with Scorers(redis_client, redis_prefix, stack, topics) as scorers:
        assert run(command("replay", file, stack, topics, *options)) == 0
    ticks = decoded(read(stack.broker, topics.clock, 4))
    assert [(tick["as_of"] - MIDNIGHT_MS) // HOUR_MS for tick in ticks] == [6, 12, 18, 24]
    assert [sum(tick["transactions_end"].values()) for tick in ticks] == [100, 200, 300, 400]
    assert [sum(tick["labels_end"].values()) for tick in ticks] == [0, 1, 2, 3]
    assert scorers.ticks


def test_ctrl_c_ends_after_what_was_sent_is_delivered_and_says_how_much(
    stack: LocalStack, topics: TopicNames, file: Path
) -> None:
    arguments = command("replay", file, stack, topics, "--mapping", "handbook", "--rate", "500")
    process = subprocess.Popen(
        [sys.executable, "-c", "from stream_app.cli import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert len(read(stack.broker, topics.transactions, 100)) >= 100
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out.startswith("stopped: ")
    delivered = int(out.split()[1].replace(",", ""))
    assert len(read(stack.broker, topics.transactions, ROWS, within_s=2)) == delivered
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--mapping", "handbook", "--column", "card_id=CARD"],
            "no column 'CARD' for card_id; there are: TRANSACTION_ID",
        ),
        (["--mapping", "nowhere.json"], "no mapping 'nowhere.json'"),
        (["--column", "card_id"], "--column 'card_id' is not FIELD=VALUE"),
        ([], "nothing says where transaction_id comes from"),
        (["--mapping", "handbook", "--rate", "5", "--speed", "5"], "give --rate or --speed, not both"),
        (["--mapping", "handbook", "--topic-prefix", "nowhere."], "has no topic nowhere.transactions"),
        (
            ["--mapping", "handbook", "--lockstep", "--redis", "redis://127.0.0.1:1/0"],
            "Redis does not answer (Error 111 connecting to 127.0.0.1:1",
        ),
        (["--mapping", "handbook", "--lockstep", "--redis", "localhost"], "'localhost' is no Redis address"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(
    stack: LocalStack,
    topics: TopicNames,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    assert run(command("replay", file, stack, topics, *options)) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert read(stack.broker, topics.transactions, 1, within_s=0.3) == []


def test_labels_follow_the_event_time_of_the_transactions(
    stack: LocalStack, topics: TopicNames, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command("replay", file, stack, topics, "--mapping", "handbook", "--to-day", "5")) == 0
    options = ["--mapping", "handbook", "--delay", "analyst=1d", "--share", "analyst=1", "--finish-when-idle", "2"]
    assert run(command("label", file, stack, topics, *options)) == 0
    labels = decoded(read(stack.broker, topics.labels, 16))
    assert sorted(int(one["transaction_id"][1:]) for one in labels) == list(range(0, 1600, 100))
    assert {one["label_source"] for one in labels} == {"analyst"}
    assert "16 labels delivered, 24 not due yet" in capsys.readouterr().out


def test_labels_can_be_sent_at_once(stack: LocalStack, topics: TopicNames, file: Path) -> None:
    assert run(command("label", file, stack, topics, "--mapping", "handbook", "--now")) == 0
    labels = decoded(read(stack.broker, topics.labels, 40))
    assert len(labels) == 40
    assert len({one["label_source"] for one in labels}) > 1


def test_a_label_source_that_is_none_is_named(
    stack: LocalStack, topics: TopicNames, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command("label", file, stack, topics, "--mapping", "handbook", "--delay", "rumour=1d")) == 2
    assert "--delay 'rumour=1d' is not SOURCE=VALUE" in capsys.readouterr().err
