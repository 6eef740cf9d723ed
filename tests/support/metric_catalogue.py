"""Every metric of every process, taken from the registries that the processes show."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from models.registry import Registry
from models.schema.topics import TopicNames
from stream_app.archive.gauges import ArchiveGauges
from stream_app.console.feed.feed import Feed
from stream_app.console.gauges import ConsoleGauges
from stream_app.process_metrics import add_process_metrics
from stream_app.retrain.gauges import RetrainGauges
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.watch.history.gauges import HistoryGauges
from stream_app.watch.profiles.gauges import KeeperGauges

SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gauge": ("",),
    "stateset": ("",),
    "info": ("_info",),
}
EVERY_PROCESS = "every process"
OF_PROMETHEUS = {"up": ("job", "instance")}
"""What Prometheus makes itself, and the labels that it puts on everything."""

CATALOGUE_OF_ALERTS = {"ALERTS": frozenset({"alertname", "alertstate", "severity"})}
"""The series that Prometheus keeps of alerts."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One metric."""

    process: str
    name: str
    kind: str
    labels: tuple[str, ...]
    text: str

    @property
    def shown(self) -> str:
        """The name under which it is looked for: counters with _total, infos with _info."""
        return self.name + {"counter": "_total", "info": "_info"}.get(self.kind, "")

    @property
    def series(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Every name that Prometheus keeps, with its labels."""
        for suffix in SUFFIXES[self.kind]:
            yield self.name + suffix, frozenset(self.labels) | ({"le"} if suffix == "_bucket" else set())


def console_gauges() -> ConsoleGauges:
    """Those of a console that reads nothing."""
    return ConsoleGauges(Feed("", TopicNames(), Registry("redis://127.0.0.1:1/0").log))


def registries() -> dict[str, CollectorRegistry]:
    """The registry of each process, without what every process has."""
    watch = CollectorRegistry()
    KeeperGauges(watch)
    HistoryGauges(watch)
    own = CollectorRegistry()
    add_process_metrics(own)
    return {
        EVERY_PROCESS: own,
        "score": ScoringMetrics().registry,
        "watch": watch,
        "archive": ArchiveGauges().registry,
        "retrain": RetrainGauges().registry,
        "console": console_gauges().registry,
    }


def catalogue() -> list[CatalogueEntry]:
    """All metrics, by process."""
    return [
        CatalogueEntry(process, family.name, family.type, labels_of(collector, family), family.documentation)
        for process, registry in registries().items()
        for collector in list(registry._collector_to_names)
        for family in described(collector)
    ]


def described(collector: Any) -> list[Any]:
    return list(collector.describe() if hasattr(collector, "describe") else collector.collect())


def labels_of(collector: Any, family: Any) -> tuple[str, ...]:
    if family.type == "stateset":
        return (*collector._labelnames, family.name)
    if family.type == "info":
        return tuple(collector._value)
    if isinstance(collector, MetricWrapperBase):
        return tuple(collector._labelnames)
    return tuple(getattr(family, "_labelnames", ()))


def series() -> dict[str, frozenset[str]]:
    """Labels of every name that Prometheus keeps."""
    return {name: labels for entry in catalogue() for name, labels in entry.series}


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """Every metric that an expression asks for; ValueError where it is no PromQL."""
    return [node for node in nodes(promql_parser.parse(expression)) if isinstance(node, promql_parser.VectorSelector)]


def nodes(node: Any) -> Iterator[Any]:
    """A tree of an expression, from its root."""
    yield node
    for part in ("lhs", "rhs", "expr", "vector_selector", "param"):
        child = getattr(node, part, None)
        if child is not None:
            yield from nodes(child)
    for child in getattr(node, "args", None) or []:
        yield from nodes(child)


def label_names(expression: str) -> set[str]:
    """Labels that an expression matches, groups or joins by."""
    found: set[str] = set()
    for node in nodes(promql_parser.parse(expression)):
        if isinstance(node, promql_parser.VectorSelector):
            found |= {matcher.name for matcher in node.matchers.matchers}
        modifier = getattr(node, "modifier", None)
        if isinstance(node, promql_parser.AggregateExpr) and modifier is not None:
            found |= set(modifier.labels)
        if isinstance(node, promql_parser.BinaryExpr) and modifier is not None and modifier.matching is not None:
            found |= set(modifier.matching.labels)
    return found


def unknown(expression: str, recorded: dict[str, frozenset[str]]) -> set[str]:
    """What an expression asks for that nobody has: metrics, and labels that none of its metrics carries."""
    known = series() | recorded | {name: frozenset(labels) for name, labels in OF_PROMETHEUS.items()}
    asked = {selector.name or "a selector without a name" for selector in selectors(expression)}
    carried = frozenset[str]().union(*(known.get(name, frozenset()) for name in asked)) | {"job", "instance"}
    return (asked - known.keys()) | (label_names(expression) - carried)


def labels_left(expression: str, recorded: dict[str, frozenset[str]]) -> frozenset[str]:
    """Labels that what an expression gives still has."""
    known = series() | recorded | {name: frozenset(labels) for name, labels in OF_PROMETHEUS.items()}
    return _left(promql_parser.parse(expression), known)


def _left(node: Any, known: dict[str, frozenset[str]]) -> frozenset[str]:
    match node:
        case promql_parser.VectorSelector():
            return known[str(node.name)] | {"job", "instance"}
        case promql_parser.AggregateExpr():
            assert node.modifier is None or node.modifier.type == promql_parser.AggModifierType.By
            return frozenset(node.modifier.labels) if node.modifier is not None else frozenset()
        case promql_parser.Call():
            parts = [] if node.func.name in {"scalar", "time", "absent"} else node.args
        case _:
            parts = [getattr(node, part, None) for part in ("lhs", "rhs", "expr", "vector_selector")]
    left = frozenset[str]().union(*(_left(part, known) for part in parts if part is not None))
    return left - {"le"} if getattr(getattr(node, "func", None), "name", "") == "histogram_quantile" else left
