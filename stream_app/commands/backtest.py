"""`fraudstream backtest`: what the system would have done on a past, without Kafka."""

from collections.abc import Callable
from pathlib import Path

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from models.families.catalogue import DEFAULT_FAMILY, FAMILIES
from models.retraining.plan import RetrainPlan
from models.thresholds import ReviewPolicy
from producers.column_mapping import read_mapping
from producers.simulator.script import parse_tactic
from stream_app.backtest.champion import ChampionRecipe
from stream_app.backtest.engine import FROM_DAY, Backtest, BacktestPlan
from stream_app.backtest.report import BacktestReport
from stream_app.backtest.world import World, file_world, simulated_world
from stream_app.commands.progress import progress

SIMULATED = "simulated"


@click.command()
@click.argument("past", metavar="FILE|simulated")
@click.option("--mapping", metavar="NAME|FILE", help="Which column is which field; the handbook's are known.")
@click.option(
    "--from-day",
    type=click.IntRange(1),
    default=FROM_DAY,
    show_default=True,
    help="First day that is scored, counted from the first transaction's; the model knows what was known by then.",
)
@click.option("--to-day", type=click.IntRange(1), help="First day that is not played; the end by default.")
@click.option(
    "--label-delay-days",
    type=click.FloatRange(0),
    help="Days after which a fraud is labelled; 7 for a file, the simulator's own delays for a simulated bank.",
)
@click.option("--declines", is_flag=True, help="Refuse what the model declines: its label is then never stated.")
@click.option(
    "--decline-precision",
    type=click.FloatRange(0, 1, min_open=True),
    default=ReviewPolicy().decline_precision,
    show_default=True,
    help="Least share of frauds among what is declined; models that reach it nowhere decline nothing.",
)
@click.option(
    "--without-retraining", is_flag=True, help="Only write down what is asked for; the first model serves to the end."
)
@click.option("--retrain-every-days", type=click.IntRange(1), help="Ask once in so many days, drift or not.")
@click.option("--days", type=click.IntRange(1), default=120, show_default=True, help="Days to simulate.")
@click.option("--customers", type=click.IntRange(10), default=10_000, show_default=True, help="Customers to simulate.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the simulation and the fits.")
@click.option(
    "--tactic",
    "tactics",
    multiple=True,
    metavar="KIND:FIELD=VALUE,...",
    help="Fraud beside the base mix, as for `simulate`; may be repeated.",
)
@click.option("--family", type=click.Choice(list(FAMILIES)), default=DEFAULT_FAMILY, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    past: str,
    mapping: str | None,
    from_day: int,
    to_day: int | None,
    label_delay_days: float | None,
    declines: bool,
    decline_precision: float,
    without_retraining: bool,
    retrain_every_days: int | None,
    days: int,
    customers: int,
    seed: int,
    tactics: tuple[str, ...],
    family: str,
    as_json: bool,
) -> None:
    """Play a labelled file or a simulated bank day by day: scores, labels as they come, drift, retrains, releases.

    The same classes as in the running system, in event time, and the same result every time.
    """
    if past != SIMULATED and tactics:
        raise click.UsageError("--tactic belongs to `fraudstream backtest simulated`: a file has the fraud that it has")
    with progress() as report:
        world = _world(past, mapping, to_day, label_delay_days, days, customers, seed, tactics, report)
        policy = ReviewPolicy(decline_precision=decline_precision)
        plan = BacktestPlan(
            from_day,
            to_day,
            declines=declines,
            retrains=not without_retraining,
            retrain_every_days=retrain_every_days,
            recipe=ChampionRecipe(family=family, seed=seed, policy=policy),
            retrain=RetrainPlan(seed=seed, policy=policy),
        )
        found = Backtest(world, plan, report).run()
    if as_json:
        click.echo(found.json())
    else:
        _show(found)


def _world(
    past: str,
    mapping: str | None,
    to_day: int | None,
    label_delay_days: float | None,
    days: int,
    customers: int,
    seed: int,
    tactics: tuple[str, ...],
    report: Callable[[str], None],
) -> World:
    if past != SIMULATED:
        named = read_mapping(mapping, {}, {}) if mapping else None
        delay = 7.0 if label_delay_days is None else label_delay_days
        return file_world(Path(past), named, to_day, delay, report)
    return simulated_world(
        days=days,
        seed=seed,
        customers=customers,
        tactics=[parse_tactic(text) for text in tactics],
        label_delay_days=label_delay_days,
        report=report,
    )


def _show(found: BacktestReport) -> None:
    console = Console()
    reference = found.first_model
    console.print(
        f"{found.source}: {found.transactions:,} transactions of days {found.from_day} to {found.to_day - 1}, "
        f"scored by {reference.version}; drift is measured against "
        f"{reference.description or 'nothing: there is no reference'}",
        soft_wrap=True,
        highlight=False,
    )
    table = Table(title="Weeks, by the handbook's protocol and over all rows", box=SIMPLE)
    for name in ("from day", "AP", "AUC", "CP@100", "AP all rows", "recall", "frauds", "declined", "model"):
        table.add_column(name, justify="left" if name == "model" else "right")
    for week in found.weeks:
        figures = (week.ap, week.auc, week.cp100, week.all_rows.ap, week.recall)
        counts = (week.frauds, week.declined)
        shown = (*(f"{one:.3f}" for one in figures), *(f"{one:,}" for one in counts), week.version)
        table.add_row(str(week.from_day), *shown)
    console.print(table)
    told = [
        *(
            (one.day, "warning", one.summary)
            for one in found.warnings
            if one.feature in one.summary or not one.since_day
        ),
        *((day, "ALARM", summary) for day, summary in dict.fromkeys((one.day, one.summary) for one in found.alarms)),
        *((one.day, f"retrain {one.number}", f"{one.cause}: {one.reason}") for one in found.retrain_requests),
        *((one.day, "recovery", one.summary) for one in found.recoveries),
        *((one.day, f"gate {one.verdict}", "; ".join(one.reasons) or f"{one.recipe}") for one in found.gate_verdicts),
        *((one.day, one.kind, f"{one.version}: {one.cause}") for one in (*found.promotions, *found.rollbacks)),
    ]
    for day, what, text in sorted(dict.fromkeys(told)):
        console.print(f"day {day:>3}  {what:<14} {text}", soft_wrap=True, highlight=False)
    if not told:
        console.print("no warning, no alarm, no retrain request")
