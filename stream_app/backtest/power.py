"""How often the drift watch is wrong, and how often it finds a change: simulated banks with and without a tactic."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from models.drift.bins import CELLS
from models.drift.day_counts import SCORE, count_cells
from models.drift.population import stability_parts
from models.drift.words import PERFORMANCE
from models.families.catalogue import DEFAULT_FAMILY
from models.features.feature_set import DEFAULT
from producers.simulator.script import Phase, TacticScript
from stream_app.backtest.champion import ChampionRecipe
from stream_app.backtest.engine import FROM_DAY, Backtest, BacktestPlan
from stream_app.backtest.report import BacktestReport, Found
from stream_app.backtest.world import World, simulated_world

DETECTION_DAYS: Final = 14
MOVED_PSI: Final = 0.25
"""From this stability index on between a tactic's payments and all others, the tactic moves a feature."""
_NAME: Final = "new_tactic"
_RECALL_AT: Final = 0.995
_RANGE: Final = (0.001, 0.999)


@dataclass(frozen=True, slots=True)
class TacticChange:
    """A way of working that the base mix does not have; `strength` is the simulator's, chosen so that it hides well."""

    kind: str
    variant: str
    strength: float = 1.0

    @property
    def title(self) -> str:
        """Kind and variant."""
        return f"{self.kind} {self.variant}"


CHANGES: Final = (
    TacticChange("triangulation", "base"),
    TacticChange("card_testing", "drip"),
    TacticChange("terminal_compromise", "cash_out"),
    TacticChange("account_takeover", "patient", 0.7),
    TacticChange("triangulation", "fashion", 0.6),
)


@dataclass(frozen=True, slots=True)
class PowerPlan:
    """What is tried.

    Parameters
    ----------
    seeds: one bank each; the tactic goes round CHANGES and the share is drawn by the seed.
    shares: least and most of a tactic's payments, as a fraction of the transactions, at strength 1.
    strength: factor on the share.
    start_day: first day of the tactic.
    days, customers, from_day, family: of the banks and their model.
    """

    seeds: tuple[int, ...]
    shares: tuple[float, float] = (0.001, 0.003)
    strength: float = 1.0
    start_day: int = 91
    days: int = 120
    customers: int = 10_000
    from_day: int = FROM_DAY
    family: str = DEFAULT_FAMILY
    maturity_days: int = 7

    def change(self, seed: int) -> TacticChange:
        """The tactic that a seed gets."""
        return CHANGES[seed % len(CHANGES)]

    def share(self, seed: int) -> float:
        """The share that a seed's tactic has."""
        low, high = self.shares
        return self.strength * float(np.random.default_rng(seed).uniform(low, high))


class Trial(msgspec.Struct, frozen=True):
    """One bank, without the tactic and with it.

    Attributes
    ----------
    recall: share of the tactic's payments among the 0.5 % with the highest score.
    outside_range: the feature in which most of them lie outside the range of 99.8 % of all others, and how many.
    detected_day: of the first alarm that names a feature the tactic moves, or performance, and that is not there
        without the tactic; None when there was none within 14 days of the tactic's start.
    delay_days: from the first moment at which labels of the tactic can be mature to that alarm.
    warned_before_labels: warnings after the start and before that moment that are not there without the tactic.
    false_warnings, false_alarms, false_requests: without the tactic.
    """

    seed: int
    tactic: str
    share: float
    recall: float
    outside_range: tuple[str, float]
    detected_day: int | None
    delay_days: int | None
    named: list[str]
    warned_before_labels: int
    false_warnings: int
    false_alarms: int
    false_requests: int


class PowerReport(msgspec.Struct, frozen=True):
    """All trials together."""

    strength: float
    trials: list[Trial]
    detected: int
    median_delay_days: float | None
    warned_before_labels: int
    false_warnings: int
    false_alarms: int
    false_requests: int

    @classmethod
    def of(cls, trials: list[Trial], strength: float) -> "PowerReport":
        """Sum up."""
        delays = [trial.delay_days for trial in trials if trial.delay_days is not None]
        return cls(
            strength=strength,
            trials=sorted(trials, key=lambda trial: trial.seed),
            detected=len(delays),
            median_delay_days=float(np.median(delays)) if delays else None,
            warned_before_labels=sum(trial.warned_before_labels > 0 for trial in trials),
            false_warnings=sum(trial.false_warnings for trial in trials),
            false_alarms=sum(trial.false_alarms for trial in trials),
            false_requests=sum(trial.false_requests for trial in trials),
        )


def measure_power(plan: PowerPlan, workers: int, report: Callable[[Trial], None]) -> PowerReport:
    """Try every seed, `workers` of them at a time in processes of their own; `report` hears each trial as it ends."""
    trials = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(try_seed, plan, seed) for seed in plan.seeds]):
            trials.append(done.result())
            report(trials[-1])
    return PowerReport.of(trials, plan.strength)


def try_seed(plan: PowerPlan, seed: int) -> Trial:
    """Play one bank twice."""
    with threadpool_limits(limits=1):
        days = BacktestPlan(plan.from_day, recipe=ChampionRecipe(family=plan.family, seed=seed))
        without = Backtest(_world(plan, seed, with_tactic=False), days, _silent)
        before = without.run()
        world = _world(plan, seed, with_tactic=True)
        with_tactic = Backtest(world, days, _silent, without.champion)
        return _trial(plan, seed, before, with_tactic, world)


def _silent(_: str) -> None:
    pass


def _world(plan: PowerPlan, seed: int, *, with_tactic: bool) -> World:
    change = plan.change(seed)
    phase = Phase(start_day=plan.start_day, share=plan.share(seed), strength=change.strength, variant=change.variant)
    script = TacticScript(change.kind, (phase,), _NAME)
    tactics = [script] if with_tactic else []
    return simulated_world(days=plan.days, seed=seed, customers=plan.customers, tactics=tactics, report=_silent)


def _trial(plan: PowerPlan, seed: int, before: BacktestReport, with_tactic: Backtest, world: World) -> Trial:
    after = with_tactic.run()
    new = world.tactic == world.tactics.index(_NAME)
    played = np.isfinite(with_tactic.scores)
    values, scores = with_tactic.replay.values, with_tactic.scores
    moved = {PERFORMANCE, *_moved(with_tactic, new, played & ~new & (world.day >= plan.start_day))}
    mature_on = plan.start_day + plan.maturity_days + 1
    first, named = _detection(plan, before.alarms, after.alarms, moved)
    usual = {(one.day, one.feature) for one in before.warnings}
    early = [one for one in after.warnings if plan.start_day <= one.day < mature_on]
    return Trial(
        seed=seed,
        tactic=plan.change(seed).title,
        share=round(plan.share(seed), 5),
        recall=round(float(np.mean(scores[new] >= np.quantile(scores[played], _RECALL_AT))), 3),
        outside_range=_outside(values[new], values[played & ~new]),
        detected_day=first,
        delay_days=None if first is None else first - mature_on,
        named=named,
        warned_before_labels=sum((one.day, one.feature) not in usual for one in early),
        false_warnings=len({(one.day, one.kind) for one in before.warnings}),
        false_alarms=len({one.day for one in before.alarms}),
        false_requests=len(before.retrain_requests),
    )


def _detection(
    plan: PowerPlan, without: list[Found], with_tactic: list[Found], moved: set[str]
) -> tuple[int | None, list[str]]:
    usual = {(one.day, one.feature) for one in without}
    counted = [
        one
        for one in with_tactic
        if plan.start_day <= one.day <= plan.start_day + DETECTION_DAYS
        and one.feature in moved
        and (one.day, one.feature) not in usual
    ]
    if not counted:
        return None, []
    return counted[0].day, [one.feature for one in counted if one.day == counted[0].day]


def _moved(run: Backtest, new: npt.NDArray[np.bool_], others: npt.NDArray[np.bool_]) -> Iterator[str]:
    """Yield the features in which the tactic's payments are distributed otherwise than all others."""
    assert run.champion is not None
    reference = run.champion.reference
    if reference is None:
        return
    tables = []
    for rows in (others, new):
        columns = np.column_stack((run.replay.values[rows], run.scores[rows]))
        tables.append(count_cells(reference.bins.cells(columns), np.ones(int(rows.sum()))))
    shares = tables[0] / np.maximum(tables[0].sum(axis=1, keepdims=True), 1.0)
    assert shares.shape[1] == CELLS
    psi = stability_parts(shares, tables[1]).sum(axis=1)
    yield from (name for name, index in zip([*DEFAULT.names, SCORE], psi, strict=True) if index >= MOVED_PSI)


def _outside(new: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> tuple[str, float]:
    low, high = np.nanquantile(others[:: max(1, len(others) // 200_000)], _RANGE, axis=0)
    outside = ((new < low) | (new > high)).mean(axis=0)
    worst = int(outside.argmax())
    return DEFAULT.names[worst], round(float(outside[worst]), 3)
