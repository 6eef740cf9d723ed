"""The command `fraudstream`: a table of commands, each imported only when it is called."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import click

from models.errors import FraudstreamError
from stream_app.lazy_group import CommandEntry, LazyGroup
from stream_app.telemetry.logs import say_error

MENDABLE_EXIT_CODE: Final = 2
INTERRUPTED_EXIT_CODE: Final = 130


COMMANDS: Final[Mapping[str, CommandEntry]] = {
    "stack": CommandEntry("stream_app.commands.stack", "Start, stop and show a real Kafka and Redis on this machine."),
    "simulate": CommandEntry("stream_app.commands.simulate", "Send simulated transactions with scripted fraud."),
    "replay": CommandEntry("stream_app.commands.replay", "Send the transactions of a Parquet or CSV file."),
    "label": CommandEntry("stream_app.commands.label", "Send fraud labels that arrive late."),
    "models": CommandEntry("stream_app.commands.models", "Train, list, show, promote, roll back and verify models."),
    "audit": CommandEntry("stream_app.commands.audit", "Read, export and verify who did what, when and why."),
    "score": CommandEntry("stream_app.commands.score", "Score transactions with the promoted model."),
    "watch": CommandEntry("stream_app.commands.watch", "Keep terminal profiles, measure the models, look for drift."),
    "archive": CommandEntry(
        "stream_app.commands.archive", "Keep everything seen, scored and labelled in Delta tables."
    ),
    "retrain": CommandEntry(
        "stream_app.commands.retrain", "Train for each retrain request, and release what is better."
    ),
    "scores": CommandEntry("stream_app.commands.scores", "Read scores, each transaction's exactly once."),
    "top": CommandEntry("stream_app.commands.top", "Show the whole system at a glance in a terminal."),
    "performance": CommandEntry("stream_app.commands.performance", "Show how well the models did, by week."),
    "drift": CommandEntry("stream_app.commands.drift", "Say what drifted and why; ask for a retrain."),
    "console": CommandEntry("stream_app.commands.console", "Serve pages: see it live, act on it."),
    "console-user": CommandEntry("stream_app.commands.console_user", "Say who may come into the console, and as what."),
    "access": CommandEntry("stream_app.commands.access", "Say, and set, who may do what on Kafka and Redis."),
    "evaluate": CommandEntry("stream_app.commands.evaluate", "Stream a labelled file through and measure accuracy."),
    "backtest": CommandEntry("stream_app.commands.backtest", "Play a past day by day: what would have been done?"),
    "chaos": CommandEntry("stream_app.commands.chaos", "Break everything on purpose and count what was lost."),
    "demo": CommandEntry("stream_app.commands.demo", "Show the whole system on this machine in a few minutes."),
}


def build_cli(entries: Mapping[str, CommandEntry] = COMMANDS) -> click.Group:
    """Build the top-level group over a table of commands."""
    about = "Card transactions in, fraud scores out: Kafka, Redis and Faust."
    group = LazyGroup(entries=entries, name="fraudstream", help=about, no_args_is_help=True)
    return click.version_option(package_name="fraudstream")(group)


def run(arguments: Sequence[str], entries: Mapping[str, CommandEntry] = COMMANDS) -> int:
    """Run one command line and return its exit code.

    What a person can mend is one line on stderr and exit code 2; Ctrl-C is exit code 130.
    """
    try:
        outcome = build_cli(entries).main(
            args=list(arguments),
            prog_name="fraudstream",
            standalone_mode=False,
            auto_envvar_prefix="FRAUDSTREAM",
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return MENDABLE_EXIT_CODE
    except (click.ClickException, FraudstreamError) as error:
        say_error(_one_line(error))
        return MENDABLE_EXIT_CODE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED_EXIT_CODE
    # click returns the code of ctx.exit(), or what the command returned.
    return outcome if isinstance(outcome, int) else 0


def _one_line(error: click.ClickException | FraudstreamError) -> str:
    if not isinstance(error, click.ClickException):
        return " ".join(str(error).split())
    text = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{text} (see {context.command_path} --help)" if context is not None else text


def main() -> None:
    """Entry point of the console command."""
    # OpenMP reads this when scikit-learn or LightGBM load it: waiting threads then sleep instead of spinning. On two
    # busy cores a fit of 2,000 rows takes 1 s with it and 13 s without.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    sys.exit(run(sys.argv[1:]))
