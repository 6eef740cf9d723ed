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
    TacticChange("account_takeover", "single", 0.7),
    TacticChange("triangulation", "fashion", 0.6),
)


@dataclass(frozen=True, slots=True)
class PowerPlan:
    """What is tried.

    Parameters
    ----------
    seeds: one bank each; the tactic goes round CHANGES and the share is drawn by the seed.
    shares: least and most of a tactic's payments, as a fraction of the transactions, at strength 1.
    strengths: factors on the share; each is a run of its own, beside the same bank without the tactic.
    start_day: first day of the tactic.
    days, customers, from_day, family: of the banks and their model.
    """

    seeds: tuple[int, ...]
    shares: tuple[float, float] = (0.001, 0.003)
    strengths: tuple[float, ...] = (0.5, 1.0, 2.0)
    start_day: int = 91
    days: int = 120
    customers: int = 10_000
    from_day: int = FROM_DAY
    family: str = DEFAULT_FAMILY
    maturity_days: int = 7

    def change(self, seed: int) -> TacticChange:
        """The tactic that a seed gets."""
        return CHANGES[seed % len(CHANGES)]

    def share(self, seed: int, strength: float) -> float:
        """The share that a seed's tactic has."""
        low, high = self.shares
        return strength * float(np.random.default_rng(seed).uniform(low, high))


class Quiet(msgspec.Struct, frozen=True):
    """What was found where nothing changed: every one of them is false."""

    warnings: int
    alarms: int
    requests: int


class Trial(msgspec.Struct, frozen=True):
    """One bank, without the tactic and with it.

    Attributes
    ----------
    strength, share: of the tactic.
    recall: share of the tactic's payments among the 0.5 % with the highest score.
    outside_range: the feature in which most of them lie outside the range of 99.8 % of all others, and how many.
    detected_day: of the first alarm that names a feature the tactic moves, or performance, and that is not there
        without the tactic; None when there was none within 14 days of the tactic's start.
    delay_days: from the first moment at which labels of the tactic can be mature to that alarm.
    warned_before_labels: warnings after the start and before that moment that are not there without the tactic.
    quiet: the same bank without the tactic.
    """

    seed: int
    tactic: str
    strength: float
    share: float
    recall: float
    outside_range: tuple[str, float]
    detected_day: int | None
    delay_days: int | None
    named: list[str]
    warned_before_labels: int
    quiet: Quiet


class PowerAt(msgspec.Struct, frozen=True):
    """All banks with the tactic at one strength."""

    strength: float
    detected: int
    median_delay_days: float | None
    warned_before_labels: int

    @classmethod
    def of(cls, trials: list[Trial], strength: float) -> "PowerAt":
        """Sum up."""
        chosen = [trial for trial in trials if trial.strength == strength]
        delays = [trial.delay_days for trial in chosen if trial.delay_days is not None]
        median = float(np.median(delays)) if delays else None
        return cls(strength, len(delays), median, sum(trial.warned_before_labels > 0 for trial in chosen))


class PowerReport(msgspec.Struct, frozen=True):
    """All trials together.

    Attributes
    ----------
    banks: seeds that were tried.
    quiet: what was found without the tactic, in all banks.
    power: at each strength.
    trials: by strength and seed.
    """

    banks: int
    quiet: Quiet
    power: list[PowerAt]
    trials: list[Trial]

    @classmethod
    def of(cls, trials: list[Trial], strengths: tuple[float, ...]) -> "PowerReport":
        """Sum up."""
        quiet = {trial.seed: trial.quiet for trial in trials}.values()
        return cls(
            banks=len(quiet),
            quiet=Quiet(
                warnings=sum(one.warnings for one in quiet),
                alarms=sum(one.alarms for one in quiet),
                requests=sum(one.requests for one in quiet),
            ),
            power=[PowerAt.of(trials, strength) for strength in strengths],
            trials=sorted(trials, key=lambda trial: (trial.strength, trial.seed)),
        )


def measure_power(plan: PowerPlan, workers: int, report: Callable[[list[Trial]], None]) -> PowerReport:
    """Try every seed, `workers` of them at a time in processes of their own; `report` hears each bank as it ends."""
    trials: list[Trial] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(try_seed, plan, seed) for seed in plan.seeds]):
            trials += done.result()
            report(done.result())
    return PowerReport.of(trials, plan.strengths)


def try_seed(plan: PowerPlan, seed: int) -> list[Trial]:
    """Play one bank without the tactic to its end, and with it at each strength as far as it has to be detected."""
    recipe = ChampionRecipe(family=plan.family, seed=seed)
    with threadpool_limits(limits=1):
        without = Backtest(
            _world(plan, seed, plan.days), BacktestPlan(plan.from_day, retrains=False, recipe=recipe), _silent
        )
        before = without.run()
        trials = []
        for strength in plan.strengths:
            world = _world(plan, seed, min(plan.days, plan.start_day + DETECTION_DAYS + 1), strength)
            played = Backtest(
                world, BacktestPlan(plan.from_day, retrains=False, recipe=recipe), _silent, without.champion
            )
            trials.append(_trial(plan, seed, strength, before, played, world))
        return trials


def _silent(_: str) -> None:
    pass


def _world(plan: PowerPlan, seed: int, days: int, strength: float | None = None) -> World:
    change = plan.change(seed)
    tactics = []
    if strength is not None:
        share = plan.share(seed, strength)
        phase = Phase(start_day=plan.start_day, share=share, strength=change.strength, variant=change.variant)
        tactics = [TacticScript(change.kind, (phase,), _NAME)]
    return simulated_world(days=days, seed=seed, customers=plan.customers, tactics=tactics, report=_silent)


def _trial(
    plan: PowerPlan, seed: int, strength: float, before: BacktestReport, with_tactic: Backtest, world: World
) -> Trial:
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
        strength=strength,
        share=round(plan.share(seed, strength), 5),
        recall=round(float(np.mean(scores[new] >= np.quantile(scores[played], _RECALL_AT))), 3),
        outside_range=_outside(values[new], values[played & ~new]),
        detected_day=first,
        delay_days=None if first is None else first - mature_on,
        named=named,
        warned_before_labels=sum((one.day, one.feature) not in usual for one in early),
        quiet=Quiet(
            warnings=len({(one.day, one.kind) for one in before.warnings}),
            alarms=len({one.day for one in before.alarms}),
            requests=len(before.retrain_requests),
        ),
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
