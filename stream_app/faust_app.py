"""Faust apps whose inputs come from a service of their own, and how such a process runs and ends."""

import gc
import logging
import os
import sys
from pathlib import Path

import faust
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)
from faust.app.base import BootStrategy
from redis.exceptions import AuthenticationError, NoPermissionError

from models.access.kafka_settings import KafkaSettings
from models.errors import FraudstreamError
from stream_app.telemetry.logs import say_error

log = logging.getLogger(__name__)

_KAFKA_REFUSALS = (
    AuthenticationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
)
FAILED_EXIT_CODE = 1
REFUSED_EXIT_CODE = 2


class DataFolderError(FraudstreamError):
    """Raised when a process cannot write to its data folder."""


class _WithoutFaustConsumer(BootStrategy):
    enable_kafka = False


class ChannelApp(faust.App):
    """A Faust app that reads Kafka in batches through a service: Faust's consumer makes four futures a message."""

    BootStrategy = _WithoutFaustConsumer


def channel_app(name: str, broker: str, data_folder: Path) -> ChannelApp:
    """Make an app; nothing connects before it is started.

    Raises
    ------
    DataFolderError
        When the data folder cannot be made: Faust makes only the last part of a path, and fails late.
    """
    folder = data_folder / "faust"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFolderError(
            f"data folder {data_folder} cannot be used ({error.strerror}); name another with FRAUDSTREAM_DATA"
        ) from error
    return ChannelApp(name, broker=f"kafka://{broker}", web_enabled=False, store="memory://", datadir=str(folder))


def keep_heap() -> None:
    """Take what there is now out of the garbage collector's sight: what was imported and loaded stays.

    Without it a collection walks it all, 0.1 s, each time a few thousand records were made; the first kernels bring
    90,000 objects more, and the first collection among them stopped scoring for 32 ms.
    """
    gc.collect()
    gc.freeze()
    # A batch makes thousands of tuples that are gone after it: at 700, the default, a collection starts many times in
    # each batch and finds nothing (12 % of the worker's time, measured).
    gc.set_threshold(100_000, 20, 50)


def run_app(app: ChannelApp) -> None:
    """Run until SIGTERM or Ctrl-C; leaves by SystemExit."""
    keep_heap()
    # A thread that loads a model or writes a checkpoint gives way within this time, not after 5 ms each time: the event
    # loop gives the lock away many times in a batch. At .5 ms the median at 20,000 transactions a second is .3 ms more.
    sys.setswitchinterval(0.0001)
    # Faust's own logging set-up makes the root logger speak DEBUG at `-l warn`: ours stands already.
    worker = faust.Worker(app, loglevel=None, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    worker.execute_from_commandline()


def access_refusal(error: BaseException) -> str | None:
    """Return what a server's refusal in the middle of the work means and how to mend it; None for any other error."""
    if isinstance(error, NoPermissionError | AuthenticationError):
        return (
            f"Redis refuses this process ({error}); were its password or its rights changed? "
            "`fraudstream access redis` prints each user's rights"
        )
    if isinstance(error, _KAFKA_REFUSALS):
        return (
            f"Kafka refuses user {KafkaSettings.read().user} ({error}); were its password or its rights changed? "
            "`fraudstream access kafka` prints what each process needs"
        )
    return None


def end_process(error: BaseException) -> None:
    """End at once with one line: nothing later is sent, and the next owner carries on from what was acknowledged.

    A refusal (FraudstreamError, or a server that no longer lets this process in) ends with 2, like every error that a
    person can mend; anything else with 1 and its trace.
    """
    refusal = str(error) if isinstance(error, FraudstreamError) else access_refusal(error)
    if refusal is not None:
        text, code = " ".join(refusal.split()), REFUSED_EXIT_CODE
    else:
        log.critical("the process ends", exc_info=error)
        text, code = f"{type(error).__name__}: {error}; the process ends, its next owner carries on", FAILED_EXIT_CODE
    say_error(text)
    os._exit(code)
