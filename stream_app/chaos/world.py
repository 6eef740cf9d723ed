"""What a scenario breaks: workers on fresh topics of a real Kafka and a real Redis, and the bank that sends."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import redis

from models.access.redis_access import redis_client
from models.bundle import Bundle
from models.errors import FraudstreamError
from models.registry import Registry
from models.schema.topics import TopicNames
from stream_app.chaos.accounts import Accounts
from stream_app.chaos.supervised import Supervised
from stream_app.chaos.tiny_models import TinyModels
from stream_app.chaos.traffic import Record, Sending
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import admin_client, create_topics
from stream_app.worker_processes import MAIN, Connections
from stream_app.worker_status import WorkerStatus, read_workers

SESSION_TIMEOUT_S: Final = 2.0
_READY_S: Final = 60.0
_SCORED_S: Final = 120.0
_POLL_S: Final = 0.02
_BY_BROKER: Final = {"message.timestamp.type": "LogAppendTime"}
"""As the scores are: all times of a run are taken from one clock that no scenario touches."""


class ChaosError(FraudstreamError):
    """Raised when a scenario cannot be carried through."""


@dataclass
class World:
    """Everything around the workers of one scenario.

    Parameters
    ----------
    stack: a Kafka and a Redis of the run's own.
    folder: for logs, checkpoints and data.
    models: signed models.
    records: what the bank sends.
    rate: events a second.
    partitions: of the topics.
    name: stands before topics and keys.
    """

    stack: LocalStack
    folder: Path
    models: TinyModels
    records: Sequence[Record]
    rate: float
    name: str
    partitions: int = 4
    workers: list[Supervised] = field(default_factory=list)
    others: list[Supervised] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    """What a scenario expected and did not find."""

    def __post_init__(self) -> None:
        """Create topics and connect; the first model is promoted."""
        self.topics = TopicNames(f"{self.name}.")
        self.group = f"{self.name}.score"
        self.redis_prefix = f"{self.name}:"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.create_topics()
        self.admin = admin_client(self.broker)
        self._connections = Connections(self.broker, self.stack.redis_url, self.topics, self.redis_prefix)
        self.registry = Registry(self.stack.redis_url, self.redis_prefix)
        self.accounts = Accounts(self.broker, self.topics)
        self._redis = redis_client(self.stack.redis_url, socket_timeout=2, socket_connect_timeout=2)
        self._sendings: list[Sending] = []
        self._started = 0
        self.promote(self.models.first)

    @property
    def broker(self) -> str:
        """Kafka's address."""
        return self.stack.broker

    @property
    def checkpoints(self) -> Path:
        """The folder that the workers share."""
        return self.folder / "checkpoints"

    @property
    def archive(self) -> Path:
        """The folder of the archive."""
        return self.folder / "archive"

    @property
    def order(self) -> str:
        """The file that lets faults begin."""
        return str(self.folder / "order")

    def give_order(self) -> None:
        """Let them begin."""
        Path(self.order).touch()

    def create_topics(self, only: Sequence[str] | None = None) -> None:
        """Create the topics, or only some of them by their bare names."""
        create_topics(self.broker, self.topics, self.partitions, {"transactions": _BY_BROKER}, only)

    def close(self) -> None:
        """End everything."""
        for sending in self._sendings:
            sending.end()
        self.end_processes()
        self.accounts.close()
        self._redis.close()

    def command(self, *arguments: str) -> str:
        """Run a command of fraudstream on the scenario's Kafka and Redis and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *arguments, *self._connections.options()],
            capture_output=True,
            text=True,
            check=False,
            env=self._connections.environment(self.folder / "operator"),
        )
        if done.returncode:
            raise ChaosError(f"fraudstream {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def end_processes(self) -> None:
        """End all of them, as a crash does."""
        for process in (*self.workers, *self.others):
            process.bury()

    # the workers

    def promote(self, bundle: Bundle) -> str:
        """Make a model champion, whatever it is worth."""
        version = self.registry.put(bundle)
        self.registry.promote(version, "chaos", "a scenario")
        return version

    def start_worker(self, *options: str, fault: str | None = None) -> Supervised:
        """Start a worker with quick commits, checkpoints and take-overs."""
        self._started += 1
        arguments = [
            "score", "--group", self.group, "--checkpoints", str(self.checkpoints),
            "--allowed-signers", str(self.models.signers), "--checkpoint-every", "1",
            "--session-timeout", f"{SESSION_TIMEOUT_S:g}", *options,
        ]  # fmt: skip
        return self._start(f"worker-{self._started}", arguments, fault, self.workers)

    def start_archive(self, *, fault: str | None = None) -> Supervised:
        """Start the archive, into the folder `archive`."""
        arguments = ["archive", "--archive", str(self.archive), "--commit-every", "1"]
        return self._start("archive", arguments, fault, self.others)

    def _start(self, name: str, arguments: Sequence[str], fault: str | None, kept: list[Supervised]) -> Supervised:
        whole = [*arguments, *self._connections.options()]
        process = Supervised(name, self.folder, whole, self._connections.environment(self.folder / name), fault)
        kept.append(process)
        return process

    def start_workers(self, count: int, *, fault: str | None = None) -> None:
        """Start some, the first with a fault, and wait until they share the partitions."""
        for number in range(count):
            self.start_worker(fault=fault if number == 0 else None)
        self.await_ready(count)

    def await_ready(self, count: int) -> None:
        """Wait until so many workers are ready and every partition is open."""

        def ready() -> bool:
            live = [status for status in self.statuses() if status.ready]
            return len(live) >= count and {p for s in live for p in s.partitions} == set(range(self.partitions))

        self.wait(ready, _READY_S, "the workers are not ready")

    def statuses(self) -> list[WorkerStatus]:
        """What the live workers say of themselves; nothing while Redis is silent."""
        try:
            return read_workers(self._redis, self.redis_prefix)
        except redis.RedisError:
            return []

    def restart_all(self) -> None:
        """End every worker as a crash does; each is started again."""
        for worker in self.workers:
            worker.kill()

    @property
    def restarts(self) -> int:
        """How often a worker was started again."""
        return sum(worker.restarts for worker in self.workers)

    @property
    def said(self) -> str:
        """The workers' logs."""
        return "\n".join(worker.said for worker in self.workers)

    # the bank

    def send(self, records: Sequence[Record] | None = None, *, share: float = 1.0, rate: float | None = None) -> None:
        """Begin to send: all records, or others, or the first share of them, at the run's rate or another."""
        records = self.records if records is None else records
        sending = Sending(
            self.broker, self.topics.transactions, records[: round(len(records) * share)], rate or self.rate
        )  # fmt: skip
        self._sendings.append(sending)
        sending.start()

    def flowing(self, workers: int, share: float, *, fault: str | None = None) -> None:
        """Start workers, begin to send all records, and wait until that share of them has been sent."""
        self.start_workers(workers, fault=fault)
        self.send()
        self.until_sent(share)

    def send_rest(self, share: float) -> None:
        """Begin to send what stands behind that share of the records."""
        self.send(self.records[round(len(self.records) * share) :])

    def until_sent(self, share: float) -> None:
        """Let time pass until that share of what is being sent has been sent."""
        sending = self._sendings[-1]
        self.wait(
            lambda: sending.sent >= share * sending.total,
            _SCORED_S + len(self.records) / self.rate,
            "the bank does not get on with sending",
        )

    @property
    def sending(self) -> bool:
        """Whether the bank is not done with sending."""
        return any(sending.is_alive() for sending in self._sendings)

    def unscored(self) -> int:
        """Records of `transactions` beyond those of `scores`: what still waits, while nothing is refused or doubled."""
        return self.accounts.input_end() - self.accounts.output_end()

    def finish(self) -> None:
        """Wait until all that was sent has been sent, and has been scored or refused."""
        self.wait(
            lambda: not self.sending,
            _SCORED_S + len(self.records) / self.rate,
            "what was sent is not acknowledged",
        )
        failures = [failure for sending in self._sendings for failure in sending.failures]
        if failures:
            raise ChaosError(f"the bank's producer failed: {failures[0]}")
        self.accounts.read_input()
        wanted = self.accounts.input_records
        until = time.monotonic() + _SCORED_S
        while time.monotonic() < until:
            self.supervise()
            self.accounts.read_scores()
            if self.accounts.answered >= wanted:
                return
            time.sleep(0.2)
        self.missed.append(f"only {self.accounts.answered:,} of {wanted:,} records were scored or refused in time")

    # time

    def supervise(self) -> None:
        """Start again what has ended."""
        for process in (*self.workers, *self.others):
            process.supervise()

    def wait(self, reached: Callable[[], bool], deadline_s: float, otherwise: str) -> None:
        """Let time pass until something is reached."""
        until = time.monotonic() + deadline_s
        while not reached():
            if time.monotonic() > until:
                last = [worker.errors[-1:] for worker in self.workers]
                raise ChaosError(f"{otherwise} after {deadline_s:.0f} s; workers said {last}; logs in {self.folder}")
            self.supervise()
            time.sleep(_POLL_S)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        until = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() >= until, seconds + 5, "time stood still")

    def count_gaps(self) -> None:
        """Count gaps from now on: a broker takes up to .2 s for the first batch on fresh topics, whatever is broken."""
        self.accounts.gaps_since_ms = time.time_ns() // 1_000_000

    def await_model(self, version: str) -> None:
        """Wait until every worker runs a model."""
        self.wait(lambda: {s.model_version for s in self.statuses()} == {version}, 30, f"no worker runs {version}")

    def expect_restarts(self, count: int) -> None:
        """Note when workers were started again more or less often."""
        self.expect(self.restarts == count, f"{self.restarts} restarts, not {count}")

    def expect(self, met: object, otherwise: str) -> None:
        """Note what should have been and was not."""
        if not met:
            self.missed.append(otherwise)
