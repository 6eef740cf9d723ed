"""How a log record is written: a line for people, or one JSON object a line for machines."""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from stream_app.telemetry.about import fields
from stream_app.telemetry.traces import trace_ids

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_CONTROLS: Final = {
    code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029) if chr(code) != "\t"
}
"""What a request or a record holds must not look like another line, or steer a terminal."""
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode


def _said_of(record: logging.LogRecord) -> dict[str, object]:
    """The ids of a record: those of the work that it was said in, and those it was given itself."""
    own = {name: value for name, value in vars(record).items() if name not in _OWN and value is not None}
    return {**fields(), **trace_ids(), **own}


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, process, pid, message, then ids, then `exception` with its trace.

    Parameters
    ----------
    process: name of the process.
    pid: of the process; asked at each line, for a process may be forked.
    """

    def __init__(self, process: str, pid: Callable[[], int] = os.getpid) -> None:
        super().__init__()
        self._process = process
        self._pid = pid

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as JSON."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": self._process,
            "pid": self._pid(),
            "message": record.getMessage(),
        }
        line = {**_said_of(record), **line}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line).decode()


class TextLines(logging.Formatter):
    """Time, level, logger and message; behind it the correlation id, where the message does not name it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  its name in the standard library
        """Return one record as text, without its trace."""
        text, correlation = super().formatMessage(record).translate(_CONTROLS), _said_of(record).get("correlation_id")
        return text if correlation is None or str(correlation) in text else f"{text} [correlation_id={correlation}]"
