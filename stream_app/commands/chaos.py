"""`fraudstream chaos`: break everything on purpose and count what was lost."""

from pathlib import Path

import click
import msgspec
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from stream_app.chaos.run import ChaosReport, ChaosRun
from stream_app.chaos.scenarios import SCENARIOS
from stream_app.commands.run_folder import run_folder
from stream_app.demo.narrator import Narrator

FAILED_EXIT_CODE = 1
WIDTH = 112


@click.command()
@click.option(
    "--scenario", "names", type=click.Choice(list(SCENARIOS)), multiple=True, help="One to run; all by default."
)
@click.option("--short", is_flag=True, help="Only those that the tests run.")
@click.option(
    "--events",
    default=100_000,
    show_default=True,
    type=click.IntRange(1000),
    help="Payments of each scenario.",
)
@click.option("--rate", default=5000.0, show_default=True, type=click.FloatRange(100), help="Payments a second.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same payments.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Keep data and logs here, in an empty folder; a temporary one by default.",
)
@click.option("--list", "only_list", is_flag=True, help="Say what there is, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
@click.pass_context
def command(
    context: click.Context,
    names: tuple[str, ...],
    short: bool,
    events: int,
    rate: float,
    seed: int,
    data: Path | None,
    only_list: bool,
    as_json: bool,
) -> None:
    """Break real processes on a real Kafka and Redis while payments flow, then count every transaction.

    Each scenario passes when nothing is lost, doubled by the reader's rule or out of order, all features are those of
    an undisturbed run, and no partition stood still longer than its bound while a transaction waited.
    """
    chosen = [SCENARIOS[name] for name in dict.fromkeys(names)] or list(SCENARIOS.values())
    chosen = [scenario for scenario in chosen if scenario.short or not short]
    if only_list:
        for scenario in chosen:
            click.echo(f"{scenario.name:24}{scenario.what}; longest gap {scenario.gap_bound_s:g} s")
        return
    with run_folder(data, "chaos") as folder:
        report = ChaosRun(folder, events, rate, seed, Narrator(Console(stderr=True)).say).run(chosen)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        Console(width=WIDTH).print(_table(report))
    if not report.passed:
        context.exit(FAILED_EXIT_CODE)


def _table(report: ChaosReport) -> Table:
    table = Table(box=SIMPLE)
    table.add_column("scenario")
    for heading in ("events", "lost", "doubled", "raw", "disorder", "features", "gap s", "bound s", "restarts"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for one in report.scenarios:
        table.add_row(
            one.name, f"{one.events:,}", f"{one.lost}", f"{one.duplicated}", f"{one.duplicated_raw}",
            f"{one.out_of_order}", f"{one.feature_differences}", f"{one.longest_gap_s:.2f}", f"{one.gap_bound_s:g}",
            f"{one.restarts}", "passed" if one.passed else "FAILED",
        )  # fmt: skip
    return table
