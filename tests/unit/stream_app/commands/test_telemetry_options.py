"""Logs are set in one place for every process."""

import click
import pytest
from click.testing import CliRunner

from stream_app.cli import COMMANDS, build_cli
from stream_app.commands.telemetry_options import Telemetry, telemetry_options

LONG_RUNNING = ("score", "watch", "archive", "retrain", "console")


@telemetry_options
def show(telemetry: Telemetry, name: str) -> None:
    click.echo(f"{name} {telemetry.log_format} {telemetry.log_level}")


COMMAND = click.command()(click.argument("name")(show))


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, "x text INFO"),
        (["--log-format", "json", "--log-level", "DEBUG"], {}, "x json DEBUG"),
        ([], {"FRAUDSTREAM_LOG_FORMAT": "json", "FRAUDSTREAM_LOG_LEVEL": "ERROR"}, "x json ERROR"),
    ],
)
def test_options_or_the_environment_say_how(arguments: list[str], environment: dict[str, str], expected: str) -> None:
    assert CliRunner().invoke(COMMAND, ["x", *arguments], env=environment).output.strip() == expected


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_every_process_that_runs_for_long_has_them(name: str) -> None:
    assert name in COMMANDS
    cli = build_cli()
    assert isinstance(cli, click.Group)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    variables = {parameter.name: parameter.envvar for parameter in command.params}
    assert "FRAUDSTREAM_LOG_FORMAT" in (variables["log_format"] or ())
    assert "FRAUDSTREAM_LOG_LEVEL" in (variables["log_level"] or ())
