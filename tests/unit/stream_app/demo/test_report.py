"""The closing table and its JSON."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from stream_app.demo.accounting import Account, Caught, Latency
from stream_app.demo.found import DriftFound, Promotion, RetrainAsked, RollBack, Tactic
from stream_app.demo.recall import Recall
from stream_app.demo.report import DemoReport, DemoResult, ReportError
from stream_app.demo.swaps import Swap

ALARM = DriftFound(90, "alarm", "performance", "channel", "the model misses more fraud")
REPORT = DemoReport(
    events=1000,
    events_per_s=5000.5,
    latency_ms=Latency(5.2, 20.1),
    lost=0,
    duplicated=0,
    swaps=[Swap("m-2", 7.25), Swap("m-1", 3.5)],
    tactic_day=81,
    drift_events=[DriftFound(83, "warning", "score", "score", "the score moved"), ALARM],
    retrain_requests=[RetrainAsked(90, "drift", 49), RetrainAsked(92, "drift follow-up", 143)],
    recall=Recall(0.8, 0.3, None),
    promotions=[Promotion("m-2", "m-1", "no guardrail broke", 97)],
    rollbacks=[RollBack("m-2", "m-3", "rank correlation: upside down", 103, 1.5, 400)],
    elapsed_s=61.3,
)
TACTIC = Tactic(
    first_day=20_089, day=81, payments=1_500, flagged=135, payments_after=500, flagged_after=400, last_day=111
)
RESULT = DemoResult(REPORT, Account(1000, 0, 0, 3), Caught(9, 7, 5), TACTIC, [], [], [], 4.5, 2000.0, 600, cores=2)


def test_the_json_has_exactly_the_published_keys() -> None:
    assert json.loads(REPORT.json()) == {
        "events": 1000,
        "events_per_s": 5000.5,
        "latency_ms": {"p50": 5.2, "p99": 20.1},
        "lost": 0,
        "duplicated": 0,
        "swaps": [{"version": "m-2", "gap_ms": 7.25}, {"version": "m-1", "gap_ms": 3.5}],
        "tactic_day": 81,
        "drift_events": [
            {"day": 83, "level": "warning", "kind": "score", "feature": "score", "summary": "the score moved"},
            {
                "day": 90,
                "level": "alarm",
                "kind": "performance",
                "feature": "channel",
                "summary": "the model misses more fraud",
            },
        ],
        "retrain_requests": [
            {"day": 90, "cause": "drift", "frauds_since_change": 49},
            {"day": 92, "cause": "drift follow-up", "frauds_since_change": 143},
        ],
        "recall": {"before": 0.8, "during": 0.3, "after": None},
        "promotions": [{"version": "m-2", "before": "m-1", "cause": "no guardrail broke", "day": 97}],
        "rollbacks": [
            {
                "version": "m-2",
                "before": "m-3",
                "cause": "rank correlation: upside down",
                "day": 103,
                "seconds": 1.5,
                "transactions": 400,
            }
        ],
        "elapsed_s": 61.3,
    }


def test_the_json_goes_to_a_file(tmp_path: Path) -> None:
    REPORT.write(tmp_path / "demo-report.json")
    assert (tmp_path / "demo-report.json").read_text() == REPORT.json() + "\n"


def test_a_place_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"missing/report\.json: No such file or directory; name another place"):
        REPORT.write(tmp_path / "missing" / "report.json")


def test_every_figure_of_the_table_has_its_meaning() -> None:
    out = io.StringIO()
    RESULT.print_to(Console(file=out, width=160))
    lines = [line.strip() for line in out.getvalue().splitlines() if line.strip()]
    assert "lost 0 transactions without a score" in [" ".join(line.split()) for line in lines]
    told = out.getvalue()
    for words in ("9%", "of 1,500 payments of it", "2025-04-01", "from 49 known frauds", "to 143"):
        assert words in told
    for words in ("80% of 500", "recall before", "30%", "none", "m-2 in place of m-1", "on 400 transactions"):
        assert words in told
    for words in ("p99", "3 repeated records", "5 are fraud, of 7", "m-2", "up to 4.5 ms", "2 cores", "600 of them"):
        assert words in told
