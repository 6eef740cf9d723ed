"""The pages for those who run the system: what they name exists."""

import re
from pathlib import Path

import click
import pytest

from stream_app.chaos.scenarios import SCENARIOS
from stream_app.cli import build_cli

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "operations"
PAGES = {
    page: (FOLDER / page).read_text()
    for page in ("README.md", "failures.md", "runbooks.md", "chaos.md", "logs-and-traces.md")
}


def test_the_table_of_scenarios_has_each_with_its_bound() -> None:
    rows = [[cell.strip() for cell in line.split("|")] for line in PAGES["chaos.md"].splitlines()]
    told = {row[1].strip("`"): (row[3], row[5]) for row in rows if len(row) == 8 and row[1].startswith("`")}
    expected = {
        name: (f"{scenario.gap_bound_s:g} s".replace("0.", "."), "yes" if scenario.short else "")
        for name, scenario in SCENARIOS.items()
    }
    assert told == expected


def test_every_scenario_is_the_proof_of_something() -> None:
    assert not {name for name in SCENARIOS if f"`{name}`" not in PAGES["failures.md"].replace("--scenario ", "")}


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_their_options_exist(page: str) -> None:
    found = re.findall(r"(?:^|`)fraudstream ([^`\n#]+)", PAGES[page], flags=re.MULTILINE)
    assert found
    for line in found:
        command = command_of(line.split())
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert command.name != "fraudstream", line
        assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= options, line


def command_of(words: list[str]) -> click.Command:
    command: click.Command = build_cli()
    for word in words:
        deeper = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if deeper is None:
            break
        command = deeper
    return command


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_pages_lead_somewhere(page: str) -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", PAGES[page]):
        text = PAGES.get(target or page)
        if anchor and text is not None:
            headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{target}#{anchor}"
        elif text is None and target.startswith(".."):
            assert (FOLDER / target).exists(), target
