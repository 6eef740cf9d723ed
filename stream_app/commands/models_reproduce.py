"""`fraudstream models reproduce`: make a model again from what its manifest says, and compare."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from models.bundle import Bundle
from models.features.batch import batch_features
from models.features.feature_set import DEFAULT
from models.manifest import Manifest
from models.registry import Registry
from models.signing import SigningKey
from models.thresholds import ReviewPolicy
from models.training import Provenance, Recipe, train
from models.training_rows import TrainingError, mature_rows
from producers.simulator.history import history
from producers.simulator.population import Population
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulation import Simulation
from stream_app.commands.archive_options import archive_option, archive_url, storage_option
from stream_app.commands.connection import redis_option, redis_prefix_option
from stream_app.commands.model_options import allowed_signers_option, json_option, signers
from stream_app.commands.model_tables import as_json
from stream_app.commands.progress import progress
from stream_app.demo.releases import inverted
from stream_app.retrain.making import (
    ArchiveMaking,
    InvertedMaking,
    Making,
    MakingError,
    SimulatedMaking,
    fitting_threads,
    from_manifest,
)
from stream_app.retrain.training import retrain

DIFFERENT_EXIT_CODE = 1
_COMPARED = ("data", "onnx_sha256", "thresholds", "golden", "metrics", "parameters", "recipe", "gate", "reference")


@click.command(name="reproduce")
@click.argument("version")
@archive_option
@storage_option
@allowed_signers_option
@redis_option
@redis_prefix_option
@json_option
def reproduce_command(
    version: str,
    archive: str | None,
    storage_options: Mapping[str, str],
    allowed_signers: Path | None,
    redis_url: str,
    redis_prefix: str,
    json_only: bool,
) -> int:
    """Make VERSION again, from the same rows by the same recipe, and compare: rows, graph, thresholds, figures.

    The exit code is 1 where something differs.
    """
    registry = Registry(redis_url, redis_prefix)
    aliases, allowed = registry.aliases(), signers(allowed_signers)
    stored = registry.get(aliases[version].version if version in aliases else version)
    manifest = stored.verify(allowed)
    making = from_manifest(manifest.version, manifest.making)
    with progress() as report:
        if isinstance(making, SimulatedMaking):
            again = simulated_again(making, manifest, report)
        elif isinstance(making, InvertedMaking):
            again = inverted(registry.get(making.of), SigningKey.generate())
        else:
            champion = registry.get(manifest.lineage.parent or "")
            retrained = retrain(
                making,
                champion,
                archive_url(archive),
                storage_options,
                code_commit=manifest.code_commit,
                key=SigningKey.generate(),
                allowed=allowed,
                report=report,
            )
            again = _passed(retrained.bundle, manifest, retrained.gate.reasons)
    differences = compared(manifest, again.manifest)
    if json_only:
        outcome = {"version": manifest.version, "equal": not differences, "again": again.version}
        click.echo(as_json({**outcome, "differences": differences, "made_of": _kind(making)}))
    elif differences:
        click.echo(f"{manifest.version} differs when it is made again: {'; '.join(differences)}")
    else:
        click.echo(f"{manifest.version}: equal ({manifest.data.rows:,} rows, {manifest.data.frauds:,} frauds)")
    return DIFFERENT_EXIT_CODE if differences else 0


def compared(first: Manifest, again: Manifest) -> list[str]:
    """Say in what two manifests differ, code and time apart; nothing where they are equal."""
    found = []
    for name in _COMPARED:
        one, other = (msgspec.to_builtins(getattr(manifest, name)) for manifest in (first, again))
        if one != other:
            found.append(f"{name}: {_difference(one, other)}")
    return found


def _difference(one: Any, other: Any) -> str:
    """Name the entries that differ, with both values where they are short."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return f"{_short(one)} is now {_short(other)}"
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return ", ".join(f"{name} {_short(one.get(name))} is now {_short(other.get(name))}" for name in names)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:23] + "…"  # noqa: PLR2004  a hash or a number, not a table


def _passed(bundle: Bundle | None, manifest: Manifest, reasons: list[str]) -> Bundle:
    if bundle is None:
        raise TrainingError(f"made again, {manifest.version} does not pass the gate: {'; '.join(reasons)}")
    return bundle


def _kind(making: Making) -> str:
    if isinstance(making, InvertedMaking):
        return making.of
    return "archive" if isinstance(making, ArchiveMaking) else "simulated bank"


def simulated_again(making: SimulatedMaking, manifest: Manifest, report: Callable[[str], None]) -> Bundle:
    """Simulate the bank of a model again, and train on it as then."""
    if manifest.feature_set != DEFAULT.version:
        raise MakingError(f"{manifest.version} was made for {manifest.feature_set}, this release has {DEFAULT.version}")
    report(f"simulating {making.days} days of {making.customers:,} customers, seed {making.seed}")
    size = PopulationSettings(making.customers, making.terminals, making.transactions_per_day)
    past = history(list(Simulation(Population(size, making.seed)).days(0, making.days)), making.seed)
    report(f"computing features of {len(past):,} transactions")
    rows = mature_rows(
        past,
        batch_features(past, DEFAULT),
        from_day=making.from_day,
        as_of=making.as_of,
        maturity_ms=making.maturity_ms,
        source=making.source,
    )
    recipe = Recipe(
        family=making.family,
        parameters=making.parameters,
        seed=making.fit_seed,
        hold_out_share=making.hold_out_share,
        gap_ms=making.gap_ms,
        policy=msgspec.convert(making.policy, type=ReviewPolicy),
        most_genuine=making.most_genuine,
    )
    provenance = Provenance(manifest.created_at, manifest.code_commit, manifest.lineage, manifest.making)
    with fitting_threads(making.threads):
        watched = rows if making.watched else replace(rows, terminal=None)
        return train(watched, recipe, provenance, SigningKey.generate(), report=report)
