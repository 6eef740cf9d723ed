"""The worker, the watch, the archive and the retrainer as processes of their own, for as long as a run takes."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from models.access.redis_access import redis_client
from models.errors import FraudstreamError
from models.schema.topics import TopicNames
from stream_app.stack.server_process import ServerProcess
from stream_app.worker_status import WorkerStatus, read_workers

MAIN: Final = "from stream_app.cli import main; main()"
"""The command `fraudstream` as a program of its own."""
_PROGRAM = (sys.executable, "-c", MAIN)
_YIELDING_PROGRAM = (sys.executable, "-c", f"import os; os.nice(10); {MAIN}")
"""The archive is seconds late anyway, so it leaves shared cores to the scoring."""
_COMMIT_EVERY_S = 1
_START_S = 120.0
_STOP_S = 20.0


class ProcessEndedError(FraudstreamError):
    """Raised when a process that the run needs has ended, or does not become ready."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Where a run's Kafka and Redis are, and what its names begin with."""

    broker: str
    redis_url: str = field(repr=False)
    topics: TopicNames
    redis_prefix: str

    def environment(self, data_folder: Path) -> dict[str, str]:
        """Return variables to start a process with: this one's, where its data goes, and Redis' address."""
        return {**os.environ, "FRAUDSTREAM_DATA": str(data_folder), "FRAUDSTREAM_REDIS": self.redis_url}

    def options(self) -> list[str]:
        """Return the rest as options of a command: everybody sees those, and Redis' address may hold a password."""
        return [
            *("--broker", self.broker),
            *("--topic-prefix", self.topics.prefix, "--redis-prefix", self.redis_prefix),
        ]


class Processes:
    """`fraudstream score`, `watch` and perhaps `archive` and `retrain`, which end with this process, however it ends.

    Parameters
    ----------
    connections: what they are started with.
    folder: their data folder and logs.
    history_from: first event day on which the models are measured, as YYYY-MM-DD; None keeps no archive and profiles
        only.
    train_from: first event day that retrains learn from, as YYYY-MM-DD; None answers no retrain request.
    retrain_plan: file for `fraudstream retrain --plan`; None tries what is usual.
    """

    def __init__(
        self,
        connections: Connections,
        folder: Path,
        history_from: str | None = None,
        train_from: str | None = None,
        retrain_plan: Path | None = None,
    ) -> None:
        self._connections = connections
        self._folder = folder
        self._redis = redis_client(connections.redis_url)
        archive = ("--archive", str(folder / "history"))
        self._commands: dict[str, tuple[str, ...]] = {
            "watch": (*_PROGRAM, "watch", "--without-history"),
            "score": (*_PROGRAM, "score"),
        }
        if history_from is not None:
            self._commands |= {
                "watch": (*_PROGRAM, "watch", *archive, "--history-from", history_from),
                "archive": (*_YIELDING_PROGRAM, "archive", *archive, "--commit-every", str(_COMMIT_EVERY_S)),
            }
        if train_from is not None:
            plan = () if retrain_plan is None else ("--plan", str(retrain_plan))
            self._commands["retrain"] = (*_PROGRAM, "retrain", *archive, "--train-from", train_from, *plan)
        self._processes = {name: ServerProcess(name, folder / name, tethered=True) for name in self._commands}

    def __enter__(self) -> Self:
        environment = self._connections.environment(self._folder)
        for name, process in self._processes.items():
            process.start([*self._commands[name], *self._connections.options()], environment)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.stop(_STOP_S)
        self._redis.close()

    def wait_ready(self) -> None:
        """Wait until the worker can score, a keeper is active and the archive, if there is one, takes records in."""
        self._wait(lambda: bool(self.workers()) and all(w.ready for w in self.workers()), "the worker is not ready")
        leases = {"profile-keeper": "no profile keeper is active"}
        if "archive" in self._commands:
            leases |= {"archive": "no archiver is active", "history-watch": "nobody watches the history"}
        if "retrain" in self._commands:
            leases |= {"retrainer": "no retrainer is active", "release-loop": "no release loop is active"}
        for lease, otherwise in leases.items():
            key = f"{self._connections.redis_prefix}{lease}"
            self._wait(lambda key=key: bool(self._redis.exists(key)), otherwise)  # type: ignore[misc]  # bound now

    def wait_for_model(self, version: str) -> None:
        """Wait until every live worker runs a model."""
        self._wait(lambda: {w.model_version for w in self.workers()} == {version}, f"the worker does not run {version}")

    def check(self) -> None:
        """Raise when one of the processes has ended."""
        for name, process in self._processes.items():
            if process.identity() is None:
                raise ProcessEndedError(f"fraudstream {name} has ended: {_reason(process)}")

    def workers(self) -> Sequence[WorkerStatus]:
        """What the live workers say of themselves."""
        return read_workers(self._redis, self._connections.redis_prefix)

    def _wait(self, reached: Callable[[], bool], otherwise: str) -> None:
        until = time.monotonic() + _START_S
        while not reached():
            self.check()
            if time.monotonic() > until:
                raise ProcessEndedError(f"{otherwise} after {_START_S:.0f} s; logs are in {self._folder}")
            time.sleep(0.02)


def _message(line: str) -> str:
    """What a line says: processes log as JSON where the environment says so."""
    try:
        return str(msgspec.json.decode(line, type=dict[str, object])["message"])
    except (msgspec.MsgspecError, ValueError, KeyError, RecursionError):
        return line


def _reason(process: ServerProcess) -> str:
    lines = [_message(line) for line in process.log.read_text(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line.startswith("error: ")), process.last_words()).removeprefix(
        "error: "
    )
