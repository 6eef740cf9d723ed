"""The alert rules: they ask for metrics that exist, and each has a runbook."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from stream_app.archive.gauges import ArchiveGauges
from stream_app.retrain.gauges import RetrainGauges
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.watch.history.gauges import HistoryGauges
from stream_app.watch.profiles.gauges import KeeperGauges

ROOT = Path(__file__).parents[2]
RUNBOOKS = "docs/operations/runbooks.md"
SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gauge": ("",),
    "stateset": ("",),
}
PAGES = {"page", "ticket"}
OF_A_RULE = {"alert", "expr", "for", "labels", "annotations"}


def groups() -> list[dict[str, Any]]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "ops" / "alerts.yml").read_text())
    return list(loaded["groups"])


RULES = [rule for group in groups() for rule in group["rules"]]


def metrics() -> Iterator[Metric]:
    watch = CollectorRegistry()
    KeeperGauges(watch)
    HistoryGauges(watch)
    for registry in (ScoringMetrics().registry, watch, ArchiveGauges().registry, RetrainGauges().registry):
        yield from registry.collect()


def series() -> dict[str, Metric]:
    """Every name under which Prometheus keeps something, labelled or not yet."""
    return {metric.name + suffix: metric for metric in metrics() for suffix in SUFFIXES[metric.type]}


def asked_for(expression: str) -> set[str]:
    return set(re.findall(r"\bfraudstream_\w+", expression))


def label_values(expression: str, label: str) -> set[str]:
    return set(re.findall(rf'\b{label}=~?"([^"]*)"', expression))


def runbook_sections() -> dict[str, str]:
    """What stands under each heading of a runbook, by the heading."""
    parts = re.split(r"^### (.+)$", (ROOT / RUNBOOKS).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_there_is_a_group_for_each_process_and_one_for_all() -> None:
    processes = ("processes", "score", "watch", "archive", "retrain")
    assert [group["name"] for group in groups()] == [f"fraudstream-{name}" for name in processes]
    assert all(group["rules"] for group in groups())


def test_no_two_alerts_have_one_name() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_whom_it_wakes_and_where_its_runbook_is(rule: dict[str, Any]) -> None:
    assert rule.keys() <= OF_A_RULE
    assert rule["labels"]["severity"] in PAGES
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}#{rule['alert'].lower()}"


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_asks_for_metrics_that_the_processes_have(rule: dict[str, Any]) -> None:
    names = asked_for(rule["expr"])
    assert names <= series().keys()
    assert names or "up{" in rule["expr"]


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_the_brackets_of_an_expression_close(rule: dict[str, Any]) -> None:
    open_ones: list[str] = []
    for sign in re.sub(r'"[^"]*"', "", rule["expr"]):
        if sign in "([{":
            open_ones.append(sign)
        elif sign in ")]}":
            assert open_ones.pop() + sign in {"()", "[]", "{}"}
    assert not open_ones


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_expression_groups_by_labels_that_its_metrics_have(rule: dict[str, Any]) -> None:
    of_metrics = {label for name in asked_for(rule["expr"]) for label in labels_of(series()[name].name)}
    grouped = {label.strip() for found in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for label in found.split(",")}
    assert grouped <= of_metrics | {"instance", "job"}


def labels_of(metric: str) -> tuple[str, ...]:
    owners = (ScoringMetrics(), KeeperGauges(CollectorRegistry()), HistoryGauges(CollectorRegistry()))
    for owner in (*owners, ArchiveGauges(), RetrainGauges()):
        for value in vars(owner).values():
            if getattr(value, "_name", None) == metric:
                return tuple(value._labelnames)
    raise AssertionError(f"no process has {metric}")


def test_jobs_are_named_after_the_processes() -> None:
    jobs = {job for rule in RULES for job in label_values(rule["expr"], "job")}
    assert jobs == {"fraudstream-.*", "fraudstream-score"}


def test_every_alert_has_a_runbook() -> None:
    assert {rule["alert"] for rule in RULES} <= runbook_sections().keys()


def test_a_runbook_without_an_alert_says_why() -> None:
    alerts = {rule["alert"] for rule in RULES}
    without = {heading for heading, text in runbook_sections().items() if "No alert:" in text}
    assert without == runbook_sections().keys() - alerts


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_a_runbook_repeats_its_expression_and_says_why_what_and_whom(rule: dict[str, Any]) -> None:
    text = runbook_sections()[rule["alert"]]
    expressions = [" ".join(one.split()) for one in re.findall(r"```promql\n(.*?)```", text, flags=re.DOTALL)]
    assert expressions == [" ".join(rule["expr"].split())]
    for row in ("**Why**", "**Look**", "**Do**", "**Wake**"):
        assert row in text
