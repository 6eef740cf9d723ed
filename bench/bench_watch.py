"""Transactions per CPU second that drift agent and feedback agent get through, beside the model that scored them.

A day of a simulated bank is closed again and again: its rows as they arrived, and as rows whose labels have matured, as
the two agents do with every event day; a week for the feedback agent. Reading the day from the archive is not in it.
The baseline is the champion itself, scoring the same rows on one thread.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from bench.hot_path import HotPath
from models.drift.watch import ClosedDay, DriftWatch
from models.features.feature_set import DEFAULT
from models.metrics.ledger import PerformanceLedger
from models.metrics.ledger_settings import LedgerSettings
from models.metrics.scored_rows import ScoredRows
from models.schema.topics import DAY_MS
from stream_app.backtest.champion import Champion, ChampionRecipe
from stream_app.backtest.engine import Backtest, BacktestPlan
from stream_app.backtest.world import simulated_world

FROM_DAY, DAYS = 66, 75
MATURITY_DAYS = 7


def played(customers: int) -> tuple[Champion, list[ScoredRows]]:
    """A champion, and the days that it has scored."""
    world = simulated_world(days=DAYS, seed=1, customers=customers, label_delay_days=7, report=lambda _: None)
    recipe = ChampionRecipe(parameters={"max_iter": 60, "learning_rate": 0.1})
    backtest = Backtest(world, BacktestPlan(FROM_DAY, retrains=False, recipe=recipe), lambda _: None)
    backtest.run()
    assert backtest.champion is not None
    return backtest.champion, [backtest.played.closed_day(DAYS - 1, day).matured[0] for day in range(FROM_DAY, DAYS)]


def moved(rows: ScoredRows, day: int) -> ScoredRows:
    """The same rows on another event day."""
    shift = (day - int(rows.event_time[0]) // DAY_MS) * DAY_MS
    stated = np.where(rows.stated_at < 0, -1, rows.stated_at + shift)
    return replace(rows, event_time=rows.event_time + shift, stated_at=stated, as_of=rows.as_of + shift)


def rows_per_cpu_s(work: Callable[[], int], rounds: int) -> list[float]:
    """Rows per CPU second of each round."""
    figures = []
    for _ in range(rounds):
        started = time.process_time()
        rows = work()
        figures.append(rows / (time.process_time() - started))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    champion, days = played(arguments.customers)
    watch = DriftWatch(lambda _: champion.reference)
    first = int(days[0].event_time[0]) // DAY_MS
    number = iter(range(first + 100, first + 100_000))

    def drift() -> int:
        day = next(number)
        rows = moved(days[0], day)
        watch.close_day(ClosedDay(day, [rows], [moved(days[1], day - MATURITY_DAYS)]))
        return len(rows)

    def feedback() -> int:
        week = days[:7]
        ledger = PerformanceLedger(LedgerSettings(anchor_day=first, feature_names=DEFAULT.names))
        columns = {name: np.concatenate([getattr(day, name) for day in week]) for name in week[0].column_names}
        as_of = (first + 14) * DAY_MS
        rows = ScoredRows(**columns, model_version=champion.model.version, as_of=as_of)
        ledger.close_day(first + 13, lambda *_: [rows])
        return len(rows)

    def scoring() -> int:
        champion.model.score(days[0].values)
        return len(days[0])

    for work in (drift, feedback, scoring):
        work()
    found = {
        name: statistics.median(rows_per_cpu_s(work, arguments.rounds))
        for name, work in (("drift agent", drift), ("feedback agent", feedback), ("scoring model", scoring))
    }
    if arguments.json:
        print(json.dumps({"hot_paths": {path.name: path.figures() for path in _hot_paths(found)}}))
        return
    for name, figure in found.items():
        print(f"{name:>15}: {figure:>12,.0f} transactions per CPU second")


def _hot_paths(rows_per_cpu_s: Mapping[str, float]) -> Iterator[HotPath]:
    scoring_us = 1e6 / rows_per_cpu_s["scoring model"]
    for name, path in (("drift agent", "drift window"), ("feedback agent", "performance week")):
        yield HotPath(path, 1e6 / rows_per_cpu_s[name], "scoring", scoring_us)


if __name__ == "__main__":
    main()
