"""The command `fraudstream`: a table of commands, each imported only when it is called."""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from models.errors import FraudstreamError

MENDABLE_EXIT_CODE: Final = 2
INTERRUPTED_EXIT_CODE: Final = 130


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Where a command lives and what the list of commands says of it."""

    module: str
    summary: str
    attribute: str = "command"

    def load(self) -> click.Command:
        """Import the command."""
        command = getattr(importlib.import_module(self.module), self.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.module}:{self.attribute} is a {type(command).__name__}, not a click command")
        return command


COMMANDS: Final[Mapping[str, CommandEntry]] = {
    "stack": CommandEntry("stream_app.commands.stack", "Start, stop and show a real Kafka and Redis on this machine."),
    "simulate": CommandEntry("stream_app.commands.simulate", "Send simulated transactions with scripted fraud."),
    "replay": CommandEntry("stream_app.commands.replay", "Send the transactions of a Parquet or CSV file."),
    "label": CommandEntry("stream_app.commands.label", "Send fraud labels that arrive late."),
    "models": CommandEntry("stream_app.commands.models", "Train, list, show, promote, roll back and verify models."),
    "score": CommandEntry("stream_app.commands.score", "Score transactions with the promoted model."),
    "watch": CommandEntry("stream_app.commands.watch", "Keep the terminal profiles from scores and labels."),
    "archive": CommandEntry(
        "stream_app.commands.archive", "Keep everything seen, scored and labelled in Delta tables."
    ),
    "scores": CommandEntry("stream_app.commands.scores", "Read scores, each transaction's exactly once."),
    "performance": CommandEntry("stream_app.commands.performance", "Show how well the models did, by week."),
    "evaluate": CommandEntry("stream_app.commands.evaluate", "Stream a labelled file through and measure accuracy."),
    "backtest": CommandEntry("stream_app.commands.backtest", "Play a past day by day: what would have been done?"),
    "demo": CommandEntry("stream_app.commands.demo", "Show the whole system on this machine in a few minutes."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to run it or to show its own help."""

    def __init__(self, entries: Mapping[str, CommandEntry], help_text: str) -> None:
        super().__init__(name="fraudstream", help=help_text, no_args_is_help=True)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        entry = self.entries.get(cmd_name)
        return None if entry is None else entry.load()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and name the known ones when there is no such."""
        if args and args[0] not in self.entries and not args[0].startswith("-"):
            raise click.UsageError(f"no command '{args[0]}'; there are: {', '.join(self.entries)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])


def build_cli(entries: Mapping[str, CommandEntry] = COMMANDS) -> click.Group:
    """Build the top-level group over a table of commands."""
    group = LazyGroup(entries, "Card transactions in, fraud scores out: Kafka, Redis and Faust.")
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
        click.echo(f"error: {_one_line(error)}", err=True)
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
