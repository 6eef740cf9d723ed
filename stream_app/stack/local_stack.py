"""Kafka and Redis together in one data folder, up as a whole or not at all."""

import fcntl
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import FraudstreamError
from stream_app.stack.kafka import LocalKafka
from stream_app.stack.redis_server import LocalRedis
from stream_app.stack.server_process import ProcessIdentity
from stream_app.stack.state import StackState


class StackUpError(FraudstreamError):
    """Raised when the data folder's stack is up already and the caller wants one of its own."""


def silent(_message: str) -> None:
    """Report progress to nobody."""


class LocalStack:
    """A broker and a Redis on this machine.

    As a context manager both stop at the end whatever happens, and on Linux the kernel ends them even when this process
    is killed. With `tethered=False` and `up()` they outlive the process, until `down()`.

    Parameters
    ----------
    data_folder
        Everything the two write: data, settings, logs, `stack.json`.
    kafka_port, redis_port
        Where they listen; None takes free ports.
    tethered
        Whether both die with this process.
    kafka_settings
        Broker settings beside or instead of the usual ones.
    report
        Receives one line per step.

    Examples
    --------
    ::

        with LocalStack(folder) as stack:
            create_topics(stack.broker)
            client = redis.Redis.from_url(stack.redis_url)
    """

    def __init__(
        self,
        data_folder: Path,
        *,
        kafka_port: int | None = None,
        redis_port: int | None = None,
        tethered: bool = True,
        kafka_settings: Mapping[str, str] | None = None,
        report: Callable[[str], None] = silent,
    ) -> None:
        self.data_folder = data_folder
        self.kafka = LocalKafka(data_folder / "kafka", port=kafka_port, tethered=tethered, settings=kafka_settings)
        self.redis = LocalRedis(data_folder / "redis", port=redis_port, tethered=tethered)
        self._report = report

    @property
    def broker(self) -> str:
        """Kafka's address."""
        return self.kafka.broker

    @property
    def redis_url(self) -> str:
        """Redis' address."""
        return self.redis.url

    def __enter__(self) -> Self:
        with folder_lock(self.data_folder):
            if running_state(self.data_folder) is not None:
                raise StackUpError(
                    f"a stack is up in {self.data_folder}; run `fraudstream stack down`, or choose another data folder"
                )
            self.up()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.down()

    def up(self) -> StackState:
        """Start both side by side, wait until both answer, then write `stack.json`."""
        self.down()
        try:
            self._report("starting Redis")
            redis = self.redis.start()
            self._report("starting Kafka")
            kafka = self.kafka.start()
            return self._write_state(kafka, redis)
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Stop whatever of the two runs from this data folder."""
        StackState.remove(self.data_folder)
        # Side by side: each may take seconds to close its files.
        closing = threading.Thread(target=self.redis.stop)
        closing.start()
        try:
            self.kafka.stop()
        finally:
            closing.join()

    def _write_state(self, kafka: ProcessIdentity, redis: ProcessIdentity) -> StackState:
        state = StackState(
            broker=self.broker,
            redis=self.redis_url,
            kafka_pid=kafka.pid,
            kafka_started_at=kafka.started_at,
            redis_pid=redis.pid,
            redis_started_at=redis.started_at,
        )
        state.write(self.data_folder)
        return state


def running_state(data_folder: Path) -> StackState | None:
    """Return what is up in the folder, None unless both processes live."""
    state = StackState.read(data_folder)
    if state is None:
        return None
    kafka = ProcessIdentity(state.kafka_pid, state.kafka_started_at)
    redis = ProcessIdentity(state.redis_pid, state.redis_started_at)
    return state if kafka.running() and redis.running() else None


def delete_data(data_folder: Path) -> None:
    """Remove what a stopped stack wrote, and nothing else in the folder."""
    for part in ("kafka", "redis"):
        shutil.rmtree(data_folder / part, ignore_errors=True)


@contextmanager
def folder_lock(data_folder: Path) -> Iterator[None]:
    """Let one process at a time start or stop the folder's stack."""
    try:
        data_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FraudstreamError(f"the data folder {data_folder} cannot be made ({error.strerror})") from error
    with (data_folder / "stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
