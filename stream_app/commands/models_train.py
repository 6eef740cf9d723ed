"""`fraudstream models train`: a history in, a signed and registered model out."""

import subprocess
import time
from pathlib import Path

import click
from rich.console import Console

from models.audit.chain import Entry
from models.bundle import Bundle
from models.families.base import Parameter
from models.families.catalogue import DEFAULT_FAMILY, FAMILIES
from models.features.batch import batch_features
from models.features.feature_set import DEFAULT
from models.manifest import Lineage
from models.registry import CHAMPION, Registry
from models.thresholds import ReviewPolicy
from models.training import DAY_MS, Provenance, Recipe, train
from models.training_rows import mature_rows
from producers.column_mapping import read_mapping
from stream_app.backtest.world import TRANSACTIONS_PER_CUSTOMER, file_world, simulated_world, terminals_of
from stream_app.commands.connection import redis_option, redis_prefix_option
from stream_app.commands.model_options import actor_option, json_option, key_to_sign, signing_key_option
from stream_app.commands.model_tables import as_json, card
from stream_app.commands.progress import progress
from stream_app.retrain.making import SimulatedMaking, fit_of, fitting_threads, in_manifest, own_threads


def _parameters(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> dict[str, Parameter]:
    """Read NAME=VALUE; a value is a number where it reads as one."""
    read: dict[str, Parameter] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        read[name] = _number(value)
    return read


def _number(text: str) -> Parameter:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


@click.command(name="train")
@click.option(
    "--file", type=click.Path(path_type=Path), help="Train on the labelled transactions of this Parquet or CSV file."
)
@click.option("--mapping", metavar="NAME|FILE", help="Which column is which field: handbook, or a JSON file.")
@click.option("--simulated", "is_simulated", is_flag=True, help="Train on a simulated bank.")
@click.option("--days", type=click.IntRange(1), default=60, show_default=True, help="Days to simulate.")
@click.option("--customers", type=click.IntRange(10), default=10_000, show_default=True, help="Customers to simulate.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the simulation and of the fit.")
@click.option(
    "--from-day",
    type=click.IntRange(0),
    default=28,
    show_default=True,
    help="First day to fit on; earlier ones fill the windows.",
)
@click.option("--to-day", type=click.IntRange(1), help="First day that nothing is known of; the end by default.")
@click.option(
    "--label-delay-days",
    type=click.FloatRange(0),
    default=7.0,
    show_default=True,
    help="How old a transaction is when it is taken as labelled; a file's frauds are known then.",
)
@click.option(
    "--family", type=click.Choice(list(FAMILIES)), default=DEFAULT_FAMILY, show_default=True, help="Kind of model."
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=_parameters,
    metavar="NAME=VALUE",
    help="Of the family; may be repeated.",
)
@click.option(
    "--review-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.005,
    show_default=True,
    help="Share of transactions to review.",
)
@click.option("--alerts-per-day", type=click.FloatRange(0, min_open=True), help="The same as a number a day.")
@click.option(
    "--decline-precision",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.95,
    show_default=True,
    help="Least share of frauds among the declined.",
)
@click.option("--promote", is_flag=True, help="Make it the champion.")
@signing_key_option
@actor_option
@redis_option
@redis_prefix_option
@json_option
def train_command(
    file: Path | None,
    mapping: str | None,
    is_simulated: bool,
    days: int,
    customers: int,
    seed: int,
    from_day: int,
    to_day: int | None,
    label_delay_days: float,
    family: str,
    parameters: dict[str, Parameter],
    review_share: float,
    alerts_per_day: float | None,
    decline_precision: float,
    promote: bool,
    signing_key: Path | None,
    actor: str,
    redis_url: str,
    redis_prefix: str,
    json_only: bool,
) -> None:
    """Train a model on a file or on a simulated bank, and register it."""
    if (file is not None) == is_simulated:
        raise click.UsageError("give either --file FILE or --simulated")
    registry = Registry(redis_url, redis_prefix)
    aliases = registry.aliases()
    key = key_to_sign(signing_key)
    policy = ReviewPolicy(review_share, alerts_per_day, decline_precision)
    recipe = Recipe(family, parameters, seed, gap_ms=int(label_delay_days * DAY_MS), policy=policy)
    with progress() as report:
        if file is not None:
            named = read_mapping(mapping, {}, {}) if mapping else None
            world = file_world(file, named, to_day, label_delay_days, report)
        else:
            world = simulated_world(days=days, seed=seed, customers=customers, report=report)
        as_of = (world.first_day + (world.days if to_day is None else to_day)) * DAY_MS
        report(f"computing features of {len(world.history):,} transactions")
        rows = mature_rows(
            world.history,
            batch_features(world.history, DEFAULT),
            from_day=from_day,
            as_of=as_of,
            maturity_ms=recipe.gap_ms,
            source=world.source,
        )
        parent = aliases[CHAMPION].version if CHAMPION in aliases else None
        threads = own_threads()
        making = None
        if file is None:
            making = in_manifest(
                SimulatedMaking(
                    customers=customers,
                    terminals=terminals_of(customers),
                    transactions_per_day=TRANSACTIONS_PER_CUSTOMER * customers,
                    days=days,
                    seed=seed,
                    source=world.source,
                    from_day=from_day,
                    as_of=as_of,
                    maturity_ms=recipe.gap_ms,
                    threads=threads,
                    **fit_of(recipe),
                )
            )
        provenance = Provenance(time.time_ns() // 1_000_000, code_commit(), Lineage(parent=parent), making)
        with fitting_threads(threads):
            bundle = train(rows, recipe, provenance, key, report=report)
    registry.put(bundle)
    about = f"trained on {world.source}"
    registry.log.append(Entry("registration", actor, about, bundle.version, {"signer": bundle.signer}))
    if promote and registry.approvals_required():
        registry.propose(bundle.version, actor, f"{about} with --promote")
    elif promote:
        registry.promote(bundle.version, actor, f"{about} with --promote")
    _show(bundle, registry, json_only=json_only)


def code_commit() -> str:
    """Return the commit of the code that runs, with a plus when it was changed since; empty outside a repository."""
    folder = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()


def _show(bundle: Bundle, registry: Registry, *, json_only: bool) -> None:
    aliases = registry.aliases()
    if json_only:
        click.echo(as_json({"version": bundle.version, "aliases": aliases, "manifest": bundle.manifest}))
        return
    moves = [record for record in registry.moves() if record.version == bundle.version]
    Console().print(card(bundle.manifest, aliases, moves))
