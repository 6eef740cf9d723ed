"""How a process logs: on stderr, as text or as JSON lines, the libraries only where something is wrong."""

import logging
import sys
import threading
from types import TracebackType
from typing import Final, Literal

from stream_app.telemetry.log_lines import JsonLines, TextLines

LogFormat = Literal["text", "json"]
_QUIET: Final = ("aiokafka", "faust", "mode", "asyncio", "kafka", "opentelemetry")
"""Libraries that say as warnings what the process has settled long since, each rebalance for instance."""

_SILENT: Final = ("stream_app.topic_admin", "producers.kafka_client")
"""Loggers of librdkafka, which says hundreds of times a second that nobody answers; the error that is raised says it
once, with the address."""

log = logging.getLogger(__name__)


def set_up_logging(process: str, level: str = "INFO", log_format: LogFormat = "text") -> None:
    """Send everything to stderr from here on.

    In JSON whatever a process says is one object a line, warnings and the trace of what it ends with too.

    Parameters
    ----------
    process: its name in each line.
    level: least level of our own lines.
    log_format: "text" for people, "json" for machines.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process) if log_format == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler])
    for library in _QUIET:
        logging.getLogger(library).setLevel("ERROR")
    for client in _SILENT:
        logging.getLogger(client).setLevel("CRITICAL")
    if log_format == "json":
        logging.captureWarnings(capture=True)
        sys.excepthook = _uncaught
        threading.excepthook = _uncaught_in_thread


def say_error(text: str) -> None:
    """Say in one line why the process, or the command, ends: `error: ...`, in JSON as the message of a line."""
    line = f"error: {text}"
    if any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers):
        log.critical("%s", line)
    else:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("the process ends", exc_info=(kind, error, trace))


def _uncaught_in_thread(hooked: threading.ExceptHookArgs) -> None:
    if hooked.exc_value is not None:
        log.critical("a thread ends", exc_info=(hooked.exc_type, hooked.exc_value, hooked.exc_traceback))
