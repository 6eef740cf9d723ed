"""The Grafana dashboards: they load, nothing overlaps, and every expression asks for what exists."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.metric_catalogue import CATALOGUE_OF_ALERTS, catalogue, labels_left, selectors, unknown

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "ops" / "grafana"
FILES = sorted((GRAFANA / "dashboards").iterdir())
DASHBOARDS: dict[str, dict[str, Any]] = {file.stem: json.loads(file.read_text()) for file in FILES}
KINDS = {"timeseries", "stat", "state-timeline", "heatmap"}
UNITS = {"short", "none", "ops", "s", "bytes", "Bps", "percentunit", "dateTimeAsIso"}
RECORDED = {
    rule["record"]: frozenset[str]()
    for group in yaml.safe_load((ROOT / "ops" / "recording.yml").read_text())["groups"]
    for rule in group["rules"]
}
PANELS = [
    (name, panel) for name, dashboard in DASHBOARDS.items() for panel in dashboard["panels"] if panel["type"] != "row"
]
IDS = [f"{name}: {panel['title']}" for name, panel in PANELS]


def source() -> dict[str, str]:
    provisioned = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())
    (one,) = provisioned["datasources"]
    return {"type": one["type"], "uid": one["uid"]}


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    at = panel["gridPos"]
    return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}


def test_there_is_a_dashboard_for_each_look_at_the_system() -> None:
    assert set(DASHBOARDS) == {"overview", "scoring", "models", "agents", "dependencies"}
    assert {file.suffix for file in FILES} == {".json"}


def test_no_two_dashboards_have_one_uid_or_title() -> None:
    for key in ("uid", "title"):
        assert len({dashboard[key] for dashboard in DASHBOARDS.values()}) == len(DASHBOARDS)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_what_grafana_loads_and_says_what_it_is_for(name: str) -> None:
    dashboard = DASHBOARDS[name]
    assert dashboard["uid"] == f"fraudstream-{name}"
    assert dashboard["description"]
    assert dashboard["editable"] is False
    assert dashboard["schemaVersion"] >= 39
    assert "id" not in dashboard  # Grafana gives its own
    for annotation in dashboard["annotations"]["list"]:
        assert annotation["datasource"] == source()
        assert not unknown(annotation["expr"], RECORDED)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_an_id_of_their_own_and_do_not_overlap(name: str) -> None:
    panels = DASHBOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert 0 <= panel["gridPos"]["x"] <= 24 - panel["gridPos"]["w"]
    for one, other in combinations(panels, 2):
        assert not cells(one) & cells(other), (one["title"], other["title"])


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=IDS)
def test_a_panel_has_title_unit_description_and_legend(name: str, panel: dict[str, Any]) -> None:
    assert panel["title"][0].isupper() or panel["title"][0].isdigit()
    assert panel["description"].endswith(".")
    assert panel["type"] in KINDS
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    references = [target["refId"] for target in panel["targets"]]
    assert references
    assert len(set(references)) == len(references)
    if panel["type"] != "stat":
        assert all(target["legendFormat"] for target in panel["targets"])


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=IDS)
def test_a_panel_asks_for_metrics_and_labels_that_the_processes_have(name: str, panel: dict[str, Any]) -> None:
    assert panel["datasource"] == source()
    for target in panel["targets"]:
        assert target["datasource"] == source()
        assert not unknown(target["expr"], RECORDED | CATALOGUE_OF_ALERTS)
        labels = {part.partition("}}")[0].strip() for part in target["legendFormat"].split("{{")[1:]}
        assert labels <= labels_left(target["expr"], RECORDED | CATALOGUE_OF_ALERTS)


def test_every_metric_of_ours_is_on_a_dashboard_or_in_an_alert() -> None:
    rules = [
        rule["expr"]
        for file in ("alerts.yml", "recording.yml")
        for group in yaml.safe_load((ROOT / "ops" / file).read_text())["groups"]
        for rule in group["rules"]
    ]
    shown = [target["expr"] for _, panel in PANELS for target in panel["targets"]]
    asked = {selector.name for expression in rules + shown for selector in selectors(expression)}
    nowhere = {entry.shown for entry in catalogue() if not asked & {name for name, _ in entry.series}}
    assert nowhere == {
        "fraudstream_build_info",
        "process_virtual_memory_bytes",
        "fraudstream_profile_checkpoints_total",
    }


def test_the_provider_reads_the_folder_that_compose_mounts() -> None:
    (provider,) = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "fraudstream.yml").read_text())["providers"]
    mounts = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./ops/grafana/dashboards:{provider['options']['path']}:ro" in mounts
    assert "./ops/grafana/provisioning:/etc/grafana/provisioning:ro" in mounts
