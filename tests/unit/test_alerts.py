"""The alert rules: they ask for metrics that exist, and each has a runbook."""

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from tests.support.metric_catalogue import EVERY_PROCESS, labels_left, registries, selectors, series, unknown

ROOT = Path(__file__).parents[2]
RUNBOOKS = "docs/operations/runbooks.md"
PAGES = {"page", "ticket"}
OF_A_RULE = {"alert", "expr", "for", "labels", "annotations"}


def groups() -> list[dict[str, Any]]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "ops" / "alerts.yml").read_text())
    return list(loaded["groups"])


RULES = [rule for group in groups() for rule in group["rules"]]
RECORDING = yaml.safe_load((ROOT / "ops" / "recording.yml").read_text())["groups"][0]["rules"]


def runbook_sections() -> dict[str, str]:
    """What stands under each heading of a runbook, by the heading."""
    parts = re.split(r"^### (.+)$", (ROOT / RUNBOOKS).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_there_is_a_group_for_each_process_and_one_for_all() -> None:
    processes = ["processes", *(name for name in registries() if name != EVERY_PROCESS)]
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
def test_an_alert_asks_for_metrics_and_labels_that_the_processes_have(rule: dict[str, Any]) -> None:
    assert not unknown(rule["expr"], {})


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_is_shown_with_labels_that_its_expression_leaves(rule: dict[str, Any]) -> None:
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert shown <= labels_left(rule["expr"], {})


@pytest.mark.parametrize("rule", RECORDING, ids=[rule["record"] for rule in RECORDING])
def test_a_recording_rule_asks_for_what_exists_and_is_named_after_it(rule: dict[str, Any]) -> None:
    assert not unknown(rule["expr"], {})
    level, metric, operation = rule["record"].split(":")
    assert level == "fraudstream"
    assert operation
    assert any((selector.name or "").startswith(f"fraudstream_{metric}") for selector in selectors(rule["expr"]))


def test_a_wrong_expression_a_missing_metric_and_a_missing_label_are_seen() -> None:
    with pytest.raises(ValueError, match="paren"):
        promql_parser.parse("sum(fraudstream_cards")
    assert unknown("rate(fraudstream_no_such_total[5m])", {}) == {"fraudstream_no_such_total"}
    assert unknown("sum by (card_id) (fraudstream_cards)", {}) == {"card_id"}
    assert unknown('fraudstream_cards{card="x"}', {}) == {"card"}
    assert labels_left("sum by (partition) (fraudstream_partition_lag_records) > 0", {}) == {"partition"}
    assert labels_left("max(fraudstream_partition_lag_records)", {}) == set()
    assert {"fraudstream_batch_seconds_bucket", "fraudstream_build_info"} <= series().keys()


def test_jobs_are_named_after_the_processes() -> None:
    jobs = {
        matcher.value
        for rule in RULES
        for selector in selectors(rule["expr"])
        for matcher in selector.matchers.matchers
        if matcher.name == "job"
    }
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
