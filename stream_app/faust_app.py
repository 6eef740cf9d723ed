"""Faust apps whose inputs come from a service of their own, and how such a process runs and ends."""

import gc
import logging
import os
import sys
from pathlib import Path

import faust
from faust.app.base import BootStrategy

from models.errors import FraudstreamError

log = logging.getLogger(__name__)

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


def run_app(app: ChannelApp) -> None:
    """Run until SIGTERM or Ctrl-C; leaves by SystemExit."""
    # What was imported stays: without this a collection walks it all, 0.1 s, each time a few thousand records were
    # made.
    gc.collect()
    gc.freeze()
    # A batch makes thousands of tuples that are gone after it: at 700, the default, a collection starts many times in
    # each batch and finds nothing (12 % of the worker's time, measured).
    gc.set_threshold(100_000, 20, 50)
    # Faust's own logging set-up makes the root logger speak DEBUG at `-l warn`: ours stands already.
    worker = faust.Worker(app, loglevel=None, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    worker.execute_from_commandline()


def set_up_logging(level: str) -> None:
    """One line per message on stderr; the libraries only from WARNING on."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for library in ("aiokafka", "faust", "mode", "asyncio", "kafka"):
        logging.getLogger(library).setLevel("ERROR")


def end_process(error: BaseException) -> None:
    """End at once with one line: nothing later is sent, and the next owner carries on from what was acknowledged.

    A refusal (FraudstreamError) ends with 2, like every error that a person can mend; anything else with 1 and its
    trace.
    """
    if isinstance(error, FraudstreamError):
        text, code = " ".join(str(error).split()), REFUSED_EXIT_CODE
    else:
        log.critical("the process ends", exc_info=error)
        text, code = f"{type(error).__name__}: {error}; the process ends, its next owner carries on", FAILED_EXIT_CODE
    sys.stderr.write(f"error: {text}\n")
    sys.stderr.flush()
    os._exit(code)
