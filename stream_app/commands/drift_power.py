"""`fraudstream drift power`: false alarms and power of the drift watch on simulated banks."""

import os

import click
import msgspec
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from models.families.catalogue import DEFAULT_FAMILY, FAMILIES
from stream_app.backtest.engine import FROM_DAY
from stream_app.backtest.power import DETECTION_DAYS, PowerPlan, PowerReport, Trial, measure_power


@click.command(name="power")
@click.option("--seeds", type=click.IntRange(1), default=20, show_default=True, help="How many banks.")
@click.option("--first-seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the first.")
@click.option(
    "--share",
    "shares",
    type=click.FloatRange(0, 0.2),
    nargs=2,
    default=(0.001, 0.003),
    show_default=True,
    help="Least and most of the tactic's payments, as a fraction of all; drawn for each bank.",
)
@click.option(
    "--strength",
    "strengths",
    type=click.FloatRange(0.05, 20),
    multiple=True,
    default=(0.5, 1.0, 2.0),
    show_default=True,
    help="Factor on that share; each one given is a run of its own.",
)
@click.option("--start-day", type=click.IntRange(1), default=91, show_default=True, help="First day of the tactic.")
@click.option("--days", type=click.IntRange(1), default=120, show_default=True, help="Days of each bank.")
@click.option("--customers", type=click.IntRange(10), default=10_000, show_default=True, help="Customers of each bank.")
@click.option("--from-day", type=click.IntRange(1), default=FROM_DAY, show_default=True, help="First day scored.")
@click.option("--family", type=click.Choice(list(FAMILIES)), default=DEFAULT_FAMILY, show_default=True)
@click.option("--workers", type=click.IntRange(1), help="Banks played at a time; as many as cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def power_command(
    seeds: int,
    first_seed: int,
    shares: tuple[float, float],
    strengths: tuple[float, ...],
    start_day: int,
    days: int,
    customers: int,
    from_day: int,
    family: str,
    workers: int | None,
    as_json: bool,
) -> None:
    """Play simulated banks without drift and with a tactic change, and count what the drift watch makes of them."""
    if not from_day < start_day < days:
        raise click.UsageError(f"--start-day {start_day} must lie between --from-day {from_day} and --days {days}")
    plan = PowerPlan(
        seeds=tuple(range(first_seed, first_seed + seeds)),
        shares=(min(shares), max(shares)),
        strengths=tuple(sorted(set(strengths))),
        start_day=start_day,
        days=days,
        customers=customers,
        from_day=from_day,
        family=family,
    )
    found = measure_power(plan, workers or os.cpu_count() or 1, _tell)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _show(found)


def _tell(trials: list[Trial]) -> None:
    first = trials[0]
    found = ", ".join(f"{one.share:.3%} {_delay(one)} (recall {one.recall:.0%})" for one in trials)
    click.echo(
        f"seed {first.seed}: {first.tactic}: {found}; without it {first.quiet.warnings} warnings, "
        f"{first.quiet.alarms} alarms, {first.quiet.requests} requests",
        err=True,
    )


def _delay(trial: Trial) -> str:
    return "not found" if trial.delay_days is None else f"found after {trial.delay_days} d"


def _show(found: PowerReport) -> None:
    console = Console()
    table = Table(title="Simulated banks with a tactic change", box=SIMPLE)
    for name in ("strength", "seed", "tactic", "share", "recall", "delay", "named", "warned before labels"):
        table.add_column(name, justify="left" if name in {"tactic", "named"} else "right")
    for one in found.trials:
        table.add_row(
            f"{one.strength:g}",
            str(one.seed),
            one.tactic,
            f"{one.share:.2%}",
            f"{one.recall:.2f}",
            "-" if one.delay_days is None else f"{one.delay_days} d",
            ", ".join(one.named[:3]),
            str(one.warned_before_labels),
        )
    console.print(table)
    for power in found.power:
        median = "none" if power.median_delay_days is None else f"{power.median_delay_days:g} event days"
        console.print(
            f"{power.strength:g} times the share: {power.detected} of {found.banks} found within {DETECTION_DAYS} days "
            f"of the start, median delay after mature labels can exist {median}; {power.warned_before_labels} warned "
            "before any label",
            soft_wrap=True,
            highlight=False,
        )
    console.print(
        f"Without the tactic: {found.quiet.warnings} warnings, {found.quiet.alarms} alarms, "
        f"{found.quiet.requests} retrain requests.",
        soft_wrap=True,
        highlight=False,
    )
