"""The figures as JSON and as a table."""

import io
import json

from rich.console import Console

from models.metrics.handbook import HandbookFigures
from stream_app.evaluate.report import EvaluationReport, WeekReport, mean_figures

WEEKS = [
    WeekReport(129, 0.9, 0.7, 0.3, 0.7, HandbookFigures(0.95, 0.8, 0.4)),
    WeekReport(136, 0.8, 0.5, 0.2, 0.5, HandbookFigures(0.85, 0.6, 0.3)),
]
REPORT = EvaluationReport(WEEKS, mean_figures(WEEKS), 7.0004, 0, 0, 1000, 0.0, 0, 0, 12.3)


def test_the_json_has_the_keys_that_the_contract_names() -> None:
    told = json.loads(REPORT.json())
    assert list(told)[:5] == ["weeks", "mean", "youngest_label_days", "lost", "duplicated"]
    assert list(told["weeks"][0]) == ["from_day", "auc", "ap", "cp100", "offline_ap", "all_rows"]
    assert told["weeks"][0]["all_rows"] == {"auc": 0.95, "ap": 0.8, "cp100": 0.4}


def test_the_mean_is_over_the_weeks() -> None:
    mean = mean_figures(WEEKS)
    assert (round(mean.auc, 6), round(mean.ap, 6), round(mean.cp100, 6)) == (0.85, 0.6, 0.25)


def test_the_table_shows_the_weeks_beside_published_figures_and_names_their_source() -> None:
    written = io.StringIO()
    REPORT.print_to(Console(file=written, width=200))
    text = written.getvalue()
    for part in ("week from day 129", "0.700", "XGBoost", "0.639", "Le Borgne", "youngest label used: 7.000 days old"):
        assert part in text
