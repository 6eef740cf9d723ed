"""What a version is: the model card."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from models.alias import Alias
from models.manifest import Figures, Manifest
from stream_app.console.moment import moment


@dataclass(frozen=True, slots=True)
class FigureTable:
    """Figures of one fit on one set of rows, and whose they are."""

    name: str
    fit: str
    rows: str
    values: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, name: str, figures: Figures) -> Self:
        """Lay figures out."""
        period = f"{moment(figures.from_event_time)} to {moment(figures.to_event_time)} UTC"
        return cls(
            name=name.replace("_", " "),
            fit=figures.fit,
            rows=f"{figures.rows:,} rows, {figures.frauds:,} frauds, {period}",
            values=tuple((figure.replace("_", " "), f"{value:.4f}") for figure, value in figures.values.items()),
        )


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A version for people.

    Attributes
    ----------
    version, aliases: the version and the names that point to it.
    facts: name and text, in the order in which one asks.
    figures: by fit.
    features: names, in the model's order.
    feature_set: what they are called together.
    retrain_request, parent: what it was trained for, and the champion of that time.
    """

    version: str
    aliases: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    figures: tuple[FigureTable, ...]
    features: tuple[str, ...]
    feature_set: str
    retrain_request: str | None
    parent: str | None

    @classmethod
    def of(cls, manifest: Manifest, aliases: Mapping[str, Alias]) -> Self:
        """Lay a manifest out."""
        return cls(
            version=manifest.version,
            aliases=tuple(sorted(name for name, alias in aliases.items() if alias.version == manifest.version)),
            facts=tuple(facts(manifest).items()),
            figures=tuple(FigureTable.of(name, figures) for name, figures in manifest.metrics.items()),
            features=tuple(manifest.feature_names),
            feature_set=manifest.feature_set,
            retrain_request=manifest.lineage.retrain_request,
            parent=manifest.lineage.parent,
        )


def facts(manifest: Manifest) -> dict[str, str]:
    """Return what a manifest says of its model beside figures and features, by name."""
    data, thresholds = manifest.data, manifest.thresholds
    decline = "never" if thresholds.decline is None else f"from {thresholds.decline:.4f}"
    return {
        "created": f"{moment(manifest.created_at)} UTC",
        "family": f"{manifest.family}, seed {manifest.seed}",
        "parameters": _pairs(manifest.parameters),
        "recipe": _pairs(manifest.recipe or {}) or "the family's own",
        "data": data.description,
        "event time": f"{moment(data.from_event_time)} to {moment(data.to_event_time)} UTC",
        "rows": f"{data.rows:,}, {data.frauds:,} of them frauds",
        "data versions": _pairs(data.table_versions) or "no tables: not trained from the archive",
        "data hash": data.sha256 or "not recorded",
        "code": manifest.code_commit or "unknown",
        "thresholds": f"review from {thresholds.review:.4f}, decline {decline}",
        "feature set": f"{manifest.feature_set}, {len(manifest.feature_names)} features",
        "golden vectors": f"{len(manifest.golden.scores)} rows",
        "graph": f"sha256 {manifest.onnx_sha256}",
        "transactions": f"schema version {manifest.schema_version}",
    }


def _pairs(values: Mapping[str, Any]) -> str:
    """Names and values in a line, without what is none or empty; what lies deeper stands in brackets."""
    said = ((name, value) for name, value in values.items() if value is not None and value != [])
    return ", ".join(
        f"{name} ({_pairs(value)})" if isinstance(value, Mapping) else f"{name} {value}" for name, value in said
    )
