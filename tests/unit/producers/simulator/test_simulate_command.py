"""`fraudstream simulate` without a broker: the dry run, and what bad values get."""

import json
from pathlib import Path

import pytest

from stream_app.cli import run

SMALL = ["simulate", "--customers", "300", "--terminals", "200"]


def errors(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run([*SMALL, *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_a_dry_run_counts_each_tactic_and_needs_no_broker(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--dry-run", "--json", "--days", "10", "--tactic", "triangulation:start_day=4,stop_day=6,share=0.1"]
    assert run([*SMALL, *arguments]) == 0
    summary = json.loads(capsys.readouterr().out)
    wave = summary["tactics"]["triangulation_day_4"]
    assert (wave["first_day"], wave["last_day"]) == (4, 5)
    assert 60 < wave["transactions"] < 180
    assert summary["days"] == 10
    assert summary["transactions"] == sum(one["transactions"] for one in summary["tactics"].values())


def test_a_dry_run_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*SMALL, "--dry-run", "--days", "2"]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("genuine", "terminal_compromise", "2025-01-01"))


def test_the_script_and_the_base_mix_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "drift.json"
    script.write_text('{"tactics": [{"kind": "card_testing", "phases": [{"share": 0.1}]}], "base_mix": false}')
    assert run([*SMALL, "--dry-run", "--json", "--days", "2", "--script", str(script)]) == 0
    assert set(json.loads(capsys.readouterr().out)["tactics"]) == {"genuine", "card_testing"}
    assert run([*SMALL, "--dry-run", "--json", "--days", "2", "--no-base-mix"]) == 0
    assert set(json.loads(capsys.readouterr().out)["tactics"]) == {"genuine"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "10", "--speed", "10"], "not both"),
        (["--rate", "0"], "--rate"),
        (["--tactic", "phishing"], "no tactic 'phishing'; there are: card_testing"),
        (["--tactic", "card_testing:name=card_testing"], "two tactics are named 'card_testing'"),
        (["--tactic", "card_testing:share=9"], "share"),
        (["--script", "missing.json"], "cannot read the script missing.json"),
        (["--customers", "1"], "1 customers: give a number from 10"),
        (["--start-date", "yesterday"], "yesterday"),
        (["--start-date", "1999-01-01"], "2000 to 2099"),
        (["--dry-run", "--start-date", "2099-12-31", "--days", "3"], "day 1: "),
    ],
)
def test_bad_values_get_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert words in errors(capsys, *arguments)


def test_without_a_stack_it_says_how_to_start_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAUDSTREAM_DATA", str(tmp_path))
    monkeypatch.delenv("FRAUDSTREAM_BROKER", raising=False)
    assert "fraudstream stack up" in errors(capsys, "--days", "1")
