"""What `fraudstream models` prints: tables for people, plain values for JSON."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.table import Table

from models.alias import Alias, AliasMove
from models.manifest import Manifest
from models.proposal import Proposal

_WIDTH = 78


def moment(at_ms: int) -> str:
    """Write a time in ms as UTC, to the minute."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def summary(manifest: Manifest, aliases: Mapping[str, Alias]) -> dict[str, Any]:
    """Return what a list shows of one version."""
    figures = manifest.metrics.get("hold_out", manifest.metrics.get("gate"))
    return {
        "version": manifest.version,
        "aliases": [name for name, alias in aliases.items() if alias.version == manifest.version],
        "created_at": manifest.created_at,
        "family": manifest.family,
        "feature_set": manifest.feature_set,
        "rows": manifest.data.rows,
        "frauds": manifest.data.frauds,
        "hold_out": {} if figures is None else figures.values,
    }


def version_table(summaries: Iterable[dict[str, Any]]) -> Table:
    """Lay summaries out, one version a line."""
    table = Table(box=SIMPLE)
    for heading in ("version", "aliases", "created (UTC)", "family", "rows", "frauds", "AP", "AUC"):
        table.add_column(heading, no_wrap=heading not in {"aliases", "family"})
    for each in summaries:
        figures = each["hold_out"]
        table.add_row(
            each["version"],
            ", ".join(each["aliases"]),
            moment(each["created_at"]),
            each["family"],
            f"{each['rows']:,}",
            f"{each['frauds']:,}",
            *(f"{figures[name]:.3f}" if name in figures else "" for name in ("average_precision", "auc")),
        )
    return table


def card(manifest: Manifest, aliases: Mapping[str, Alias], moves: Iterable[AliasMove]) -> RenderableType:
    """Lay a manifest out as a model card."""
    data, thresholds, lineage = manifest.data, manifest.thresholds, manifest.lineage
    facts = Table(show_header=False, title=f"Model {manifest.version}", title_justify="left", box=SIMPLE)
    for name, text in {
        "aliases": ", ".join(name for name, alias in aliases.items() if alias.version == manifest.version) or "none",
        "created (UTC)": moment(manifest.created_at),
        "family": f"{manifest.family}, seed {manifest.seed}",
        "parameters": ", ".join(f"{name}={value}" for name, value in manifest.parameters.items()),
        "features": f"{manifest.feature_set}, {len(manifest.feature_names)} features",
        "trained on": f"{data.description}: {data.rows:,} rows, {data.frauds:,} frauds,"
        f" {moment(data.from_event_time)} to {moment(data.to_event_time)}",
        "table versions": ", ".join(f"{name}={value}" for name, value in data.table_versions.items()) or "none",
        "thresholds": f"review from {thresholds.review:.4f}, decline "
        + ("never" if thresholds.decline is None else f"from {thresholds.decline:.4f}"),
        "code": manifest.code_commit or "unknown",
        "graph": f"sha256 {manifest.onnx_sha256}",
        "golden vectors": f"{len(manifest.golden.scores)} rows",
        "retrain request": lineage.retrain_request or "none",
        "champion then": lineage.parent or "none",
    }.items():
        facts.add_row(name, text)
    made = list(moves)
    return Group(facts, _figures(manifest), *([_moves(made)] if made else []))


def _figures(manifest: Manifest) -> RenderableType:
    tables: list[RenderableType] = []
    for name, figures in manifest.metrics.items():
        table = Table("figure", "value", title=f"{name}: {figures.fit}", title_justify="left", box=SIMPLE, width=_WIDTH)
        for figure, value in figures.values.items():
            table.add_row(figure, f"{value:.4f}")
        period = f"{moment(figures.from_event_time)} to {moment(figures.to_event_time)}"
        table.caption = f"{figures.rows:,} rows, {figures.frauds:,} frauds, {period}"
        tables.append(table)
    return Group(*tables)


def _moves(moves: Iterable[AliasMove]) -> RenderableType:
    table = Table(
        "move", "at (UTC)", "alias", "action", "actor", "reason", title="Moves", title_justify="left", box=SIMPLE
    )
    for each in moves:
        table.add_row(str(each.sequence), moment(each.at), each.alias, each.action, each.actor, each.reason)
    return table


def as_json(value: Any) -> str:
    """Write a value of plain types and structs as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def report_move(alias: Alias, *, json_only: bool) -> None:
    """Print where an alias points now."""
    if json_only:
        click.echo(as_json(alias))
    else:
        click.echo(f"{alias.name} is now {alias.version} (move {alias.sequence} by {alias.actor}: {alias.reason})")


def report_proposal(proposal: Proposal, *, json_only: bool) -> None:
    """Print what waits for a second person."""
    if json_only:
        click.echo(as_json(proposal))
    else:
        click.echo(
            f"{proposal.subject} is proposed by {proposal.actor} ({proposal.reason}); it waits until "
            f"{moment(proposal.expires_ms)} UTC for another person: fraudstream models approve {proposal.subject}"
        )
