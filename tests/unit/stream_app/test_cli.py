"""The command line."""

import subprocess
import sys

import click
import pytest

from models.errors import FraudstreamError
from stream_app import cli
from stream_app.cli import COMMANDS
from stream_app.lazy_group import CommandEntry


@click.command()
@click.option("--how", type=click.Choice(["mendable", "interrupt", "broken", "fine", "seven"]), default="fine")
@click.pass_context
def probe(ctx: click.Context, how: str) -> None:
    """Ends as it is told."""
    if how == "mendable":
        raise FraudstreamError("the value 7 is\n  too small; give 8")
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "broken":
        raise RuntimeError("a mistake of ours")
    if how == "seven":
        ctx.exit(7)


ENTRIES = {"probe": CommandEntry(__name__, "Ends as it is told.", "probe")}


def test_what_a_person_can_mend_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["probe", "--how", "mendable"], ENTRIES) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "error: the value 7 is too small; give 8\n"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["prob"], "no command 'prob'; there are: probe"),
        (["probe", "--ho"], "--how"),
        (["probe", "--how", "slowly"], "'slowly' is not one of"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(
    arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments, ENTRIES) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert part in printed.err


def test_an_interrupt_is_exit_code_130_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["probe", "--how", "interrupt"], ENTRIES) == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_mistake_of_ours_keeps_its_trace() -> None:
    with pytest.raises(RuntimeError):
        cli.run(["probe", "--how", "broken"], ENTRIES)


@pytest.mark.parametrize(("how", "code"), [("fine", 0), ("seven", 7)])
def test_a_command_s_exit_code_is_handed_on(how: str, code: int) -> None:
    assert cli.run(["probe", "--how", how], ENTRIES) == code


def test_options_take_their_values_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_PROBE_HOW", "seven")
    assert cli.run(["probe"], ENTRIES) == 7


def test_the_list_of_commands_imports_none_of_them() -> None:
    code = (
        "import sys; from stream_app import cli; code = cli.run(['--help']);"
        "heavy = {'numpy', 'faust', 'confluent_kafka', 'redis', 'stream_app.commands'} & set(sys.modules);"
        "sys.exit(code or len(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, entry in COMMANDS.items():
        assert name in done.stdout
        assert entry.summary[:20] in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists_and_says_what_it_does(name: str) -> None:
    assert COMMANDS[name].load().help


def test_an_entry_that_is_no_command_is_told_apart() -> None:
    with pytest.raises(TypeError, match="not a click command"):
        CommandEntry("stream_app.cli", "", "run").load()
