"""`fraudstream drift backtest` prints one JSON object, or sentences, and refuses on one line."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stream_app.cli import run
from tests.unit.models.drift.tables.small_table import CHANGE, small_table


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "table.parquet"
    pq.write_table(small_table(turn=True), path)
    return str(path)


def test_the_json_names_alarms_by_row_kind_and_feature(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drift", "backtest", file, "--label", "label", "--time", "row", "--reference", "1400", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {"row", "kind", "feature"} <= report["alarms"][0].keys()
    assert report["alarms"][0]["row"] >= CHANGE
    assert report["false_alarm_budget"]["alarm_blocks"] == 730
    assert {"tests", "warnings", "watched", "blocks", "block_rows"} <= report.keys()


def test_without_json_an_alarm_is_a_sentence(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drift", "backtest", file, "--label", "label", "--time", "row", "--reference", "1400"]) == 0
    assert capsys.readouterr().out.startswith("ALARM    row 2,")


def test_a_reference_that_is_too_short_is_refused(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drift", "backtest", file, "--label", "label", "--time", "row", "--reference", "100"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("give --reference 700 or more")
