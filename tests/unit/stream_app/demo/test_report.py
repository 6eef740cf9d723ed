"""The closing table and its JSON."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from stream_app.demo.accounting import Account, Caught, Latency
from stream_app.demo.report import DemoReport, DemoResult, ReportError
from stream_app.demo.swaps import Swap

REPORT = DemoReport(
    events=1000,
    events_per_s=5000.5,
    latency_ms=Latency(5.2, 20.1),
    lost=0,
    duplicated=0,
    swaps=[Swap("m-2", 7.25), Swap("m-1", 3.5)],
    elapsed_s=61.3,
)


def test_the_json_has_exactly_the_published_keys() -> None:
    assert json.loads(REPORT.json()) == {
        "events": 1000,
        "events_per_s": 5000.5,
        "latency_ms": {"p50": 5.2, "p99": 20.1},
        "lost": 0,
        "duplicated": 0,
        "swaps": [{"version": "m-2", "gap_ms": 7.25}, {"version": "m-1", "gap_ms": 3.5}],
        "elapsed_s": 61.3,
    }


def test_the_json_goes_to_a_file(tmp_path: Path) -> None:
    REPORT.write(tmp_path / "demo-report.json")
    assert (tmp_path / "demo-report.json").read_text() == REPORT.json() + "\n"


def test_a_place_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"missing/report\.json: No such file or directory; name another place"):
        REPORT.write(tmp_path / "missing" / "report.json")


def test_every_figure_of_the_table_has_its_meaning() -> None:
    result = DemoResult(REPORT, Account(1000, 0, 0, 3), Caught(9, 7, 5), 4.5, 2000.0, 600, cores=2)
    out = io.StringIO()
    result.print_to(Console(file=out, width=160))
    lines = [line.strip() for line in out.getvalue().splitlines() if line.strip()]
    assert "lost 0 transactions without a score" in [" ".join(line.split()) for line in lines]
    told = out.getvalue()
    for words in ("p99", "3 repeated records", "5 are fraud, of 7", "m-2", "up to 4.5 ms", "2 cores", "600 of them"):
        assert words in told
