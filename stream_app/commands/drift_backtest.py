"""`fraudstream drift backtest`: the drift battery over any labelled table."""

from pathlib import Path

import click
import msgspec

from models.drift.reference import FalseAlarmBudget
from models.drift.tables.battery import Battery
from models.drift.tables.blocks import cut_blocks
from models.drift.tables.table_file import TableColumns, read_table
from models.drift.tables.table_report import TableReport, table_report


@click.command(name="backtest")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--label", required=True, metavar="COLUMN", help="Two classes or more: numbers, truth values or texts.")
@click.option("--time", "time", required=True, metavar="COLUMN", help="Orders the rows: numbers, dates or moments.")
@click.option(
    "--reference", required=True, type=click.IntRange(min=1), metavar="ROWS", help="The first ROWS are what is usual."
)
@click.option("--score", metavar="COLUMN", help="Chance of the second of two classes, instead of a model of our own.")
@click.option("--cluster", metavar="COLUMN", help="Rows with the same value here count as one in a block.")
@click.option(
    "--label-delay", default=0, type=click.IntRange(min=0), metavar="BLOCKS", help="Labels come so much later."
)
@click.option("--columns", default="", metavar="A,B,...", help="Features to use; all others are left out.")
@click.option("--exclude", default="", metavar="A,B,...", help="Columns that are no features.")
@click.option("--seed", default=1, show_default=True, help="Of fits and resampling.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def backtest_command(
    file: Path,
    label: str,
    time: str,
    reference: int,
    score: str | None,
    cluster: str | None,
    label_delay: int,
    columns: str,
    exclude: str,
    seed: int,
    as_json: bool,
) -> None:
    """Run the drift battery over a labelled table, FILE (Parquet or CSV).

    A block of rows plays the event day. Alarms are falls of the performance and strong shifts of inputs; after each the
    battery takes half as many blocks as new reference and goes on.
    """
    named = TableColumns(label, time, score, cluster, _names(columns), _names(exclude))
    table = read_table(file, named, reference)
    for note in table.notes:
        _tell(note)
    blocks, budget = cut_blocks(len(table), reference, table.time_ms), FalseAlarmBudget()
    result = Battery(table, blocks, budget, label_delay, seed, _tell).run()
    report = table_report(table, blocks, result, budget)
    click.echo(msgspec.json.encode(report).decode() if as_json else _text(report))


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _text(report: TableReport) -> str:
    budget = report.false_alarm_budget
    lines = [f"ALARM    {one.words}" for one in report.alarms] or ["no alarm"]
    lines += [f"warning  {one.words}" for one in report.warnings]
    lines.append(
        f"{report.rows:,} rows in {report.blocks:,} blocks of about {report.block_rows:,}; {budget.blocks:,} were "
        f"tested: expect {budget.expected_false_alarms:.2g} false alarms, {budget.expected_false_warnings:.2g} warnings"
    )
    return "\n".join(lines)
