"""`fraudstream demo` refuses what cannot work with one line and its remedy, before anything starts."""

from pathlib import Path

import pytest

from stream_app.cli import run


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["demo", *arguments]) == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_a_broker_without_a_redis_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "give both --broker and --redis" in refusal(capsys, "--broker", "localhost:1")


def test_a_folder_that_holds_something_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").touch()
    assert "is not empty" in refusal(capsys, "--data", str(tmp_path))


def test_a_missing_java_is_named_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java"))
    said = refusal(capsys, "--data", str(tmp_path / "data"))
    assert said.startswith("error: no java")
    assert "apt-get install openjdk-17-jre-headless" in said


def test_a_report_that_cannot_be_written_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "name another place with --report" in refusal(capsys, "--report", str(tmp_path / "missing" / "r.json"))
