"""What `fraudstream evaluate` refuses before it starts anything."""

from pathlib import Path

import pytest

from stream_app.cli import run


def test_a_file_that_is_not_there_is_named_on_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "handbook", "--file", str(tmp_path / "none.parquet")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: there is no file")
    assert "none.parquet" in line


def test_a_file_of_another_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    assert run(["evaluate", "handbook", "--file", str(other)]) == 2
    assert "has no column" in capsys.readouterr().err


def test_a_broker_without_a_redis_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "handbook", "--file", "any.parquet", "--broker", "127.0.0.1:1"]) == 2
    assert "give both --broker and --redis, or neither" in capsys.readouterr().err
