"""`fraudstream models report`: what became of a retrain request, and why."""

import click
from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.table import Table

from models.errors import FraudstreamError
from models.gate.check import Check
from models.registry import Registry
from stream_app.commands.connection import redis_option, redis_prefix_option
from stream_app.commands.model_options import json_option
from stream_app.commands.model_tables import as_json, moment
from stream_app.retrain.report import RetrainReport
from stream_app.retrain.retrain_store import RetrainStore

_COLOURS = {"pass": "green", "fail": "red", "undecided": "yellow"}


class ReportMissingError(FraudstreamError):
    """Raised where there is no report."""


@click.command(name="report")
@click.argument("request_or_version")
@redis_option
@redis_prefix_option
@json_option
def report_command(request_or_version: str, redis_url: str, redis_prefix: str, json_only: bool) -> None:
    """Show what became of a retrain request, given by its id, or by the model that it led to or an alias of that."""
    report = _report(request_or_version, redis_url, redis_prefix)
    if json_only:
        click.echo(as_json(report))
    else:
        Console().print(_shown(report))


def _report(name: str, redis_url: str, redis_prefix: str) -> RetrainReport:
    store, registry = RetrainStore(redis_url, redis_prefix), Registry(redis_url, redis_prefix)
    aliases = registry.aliases()
    manifest = registry.find_manifest(aliases[name].version if name in aliases else name)
    if manifest is None:
        request: str | None = name.removeprefix("request:")
    else:
        request = manifest.lineage.retrain_request
        if request is None:
            raise ReportMissingError(f"{manifest.version} was trained by a person, not for a request: it has no report")
    report = None if request is None else store.report(request)
    if report is None:
        raise ReportMissingError(
            f"nobody has taken a request {request}, and there is no such model; is `fraudstream retrain` running?"
        )
    return report


def _shown(report: RetrainReport) -> RenderableType:
    request, gate = report.request, report.gate
    facts = Table(show_header=False, title=f"Request {request.request_id}", title_justify="left", box=SIMPLE)
    rows = {
        "asked": f"{request.cause}, by {request.actor}, as of {moment(request.as_of)} UTC: {request.reason}",
        "incident": request.incident,
        "outcome": report.outcome,
        "why": "; ".join(report.reasons) or None,
        "try": f"{report.number}, as of {moment(report.as_of)} UTC",
        "held against": report.champion,
        "tables": ", ".join(f"{name}={version}" for name, version in report.table_versions.items()) or None,
        "recipe": None if report.choice is None else f"{report.choice.recipe.title}; {report.choice.reason}",
        "judged on": None if gate is None else f"{gate.rows:,} rows, {gate.frauds:,} frauds",
        "fitted on": None if report.data is None else f"{report.data.rows:,} rows, {report.data.frauds:,} frauds",
        "model": report.version,
        "took": None if report.training_s is None else f"{report.training_s:.0f} s",
    }
    for name, text in rows.items():
        if text is not None:
            facts.add_row(name, text)
    return Group(facts, *([] if gate is None else [_checks(gate.checks)]))


def _checks(checks: list[Check]) -> Table:
    table = Table(box=SIMPLE)
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what it says")
    for check in checks:
        colour = _COLOURS[check.verdict]
        table.add_row(check.name, f"[{colour}]{check.verdict}[/{colour}]", check.sentence)
    return table
