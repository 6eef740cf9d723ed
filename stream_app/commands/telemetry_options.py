"""What a process that runs for long tells of itself: the options of its logs, and traces where they are wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

import click

from models.schema.prepared import prepare_records
from stream_app.telemetry.logs import LogFormat, set_up_logging
from stream_app.telemetry.traces import trace_if_wanted

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Telemetry:
    """How a process logs; `begin` is called by its composition root."""

    log_format: LogFormat
    log_level: str

    def begin(self, process: str) -> None:
        """Log from here on under the name of a process, and trace if the environment says where to.

        Every process that runs for long begins here, before it starts a thread.
        """
        prepare_records()
        set_up_logging(process, self.log_level, self.log_format)
        trace_if_wanted(process)


def telemetry_options(command: Callable[Concatenate[Telemetry, P], R]) -> Callable[P, R]:
    """Add `--log-format` and `--log-level`; the command receives a `Telemetry` first."""

    @wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> R:
        told = Telemetry(cast("LogFormat", options.pop("log_format")), cast("str", options.pop("log_level")))
        return command(told, *args, **options)

    with_level = click.option(
        "--log-level",
        envvar=["FRAUDSTREAM_LOG_LEVEL"],
        show_envvar=True,
        default="INFO",
        show_default=True,
        type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]),
        help="Least level that is logged.",
    )(run)
    return click.option(
        "--log-format",
        envvar=["FRAUDSTREAM_LOG_FORMAT"],
        show_envvar=True,
        default="text",
        show_default=True,
        type=click.Choice(["text", "json"]),
        help="How a line is written: for people, or one JSON object a line.",
    )(with_level)
