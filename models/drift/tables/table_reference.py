"""What is usual in a table: the references of the live watch, made from blocks of rows in place of event days."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.drift.bins import MISSING, QUANTILE_BINS, Bins, Codes
from models.drift.calibration import DAYS_A_WEEK, RESAMPLES, PseudoDays, limit_for, psi_limits, simulate_maxima
from models.drift.concept import Losses, LossSketch, scaled_losses
from models.drift.day_counts import SCORE, Misses, count_cells
from models.drift.misses import (
    LEAST_EXCESS_SHARE,
    WINDOWS_DAYS,
    MissArithmetic,
    MissReference,
    dispersion,
    miss_unit,
    with_total,
)
from models.drift.population import DEVIATIONS, LEAST_MISSING_RISE, LEAST_VOLUME_CHANGE, PopulationReference
from models.drift.reference import FalseAlarmBudget
from models.drift.tables.blocks import Blocks
from models.drift.tables.labelled_table import LabelledTable
from models.drift.tables.own_variation import design_effect, largest_excess, pooled_dispersion, stability_of_weeks
from models.drift.tables.table_model import Scored

LEAST_ALARM_PSI: Final = 0.2
"""Effect size of an alarm about inputs alone, which no fall of the performance confirms: of .1 to .25 credit risk says
"look", above it "act"; rows of before are still in the window when a shift comes."""
ALARM_TIMES_OWN: Final = 4.0
"""And the index must be so many times that of the reference's strangest week: it grows with the square of a shift, so
the shift is twice as far as any in the reference. Seasons and trends go on; they are no change."""
WARNING_TIMES_OWN: Final = 2.0
FALL_TIMES_OWN: Final = 1.25
"""An excess of misses must be so much stronger than the strongest within the reference."""
CONFIRMING_TIMES_OWN: Final = 1.4
"""The same of all misses together, to confirm a rise of the losses: there are few of these windows to go by."""
LONG_WINDOWS: Final = (14, 21)
"""Blocks over which the misses of all rows are added up as well: a small rise that stays needs them."""
LEAST_EXCESS_OF_MISSES: Final = 0.1
"""Effect size of a fall: the misses must exceed the usual ones by this share. In fraud a share of the frauds serves;
of a table either class may be half."""
LEAST_EXCESS_PER_ROW: Final = 0.002
"""And by this much a row (a log-loss of .01), or a model that is always right would have no effect size."""
CONFIRMING_BLOCKS: Final = 365.0
"""Once in so many blocks the misses of all rows may confirm by chance a rise of the losses (ADWIN)."""
_STRETCH_BUDGETS: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class TableReference:
    """What the tests of one stretch compare with.

    Attributes
    ----------
    first_block, end_block: its blocks; the end is not included.
    bins: cells of the features and, last, of the score.
    population: with the limits of warnings.
    alarm_psi: float64[F + 1] stability index of a week of blocks from which on a column alarms.
    misses, losses, confirming_limit: as in `DriftReference`.
    lasting_limit: excess of all misses together over LONG_WINDOWS from which on an alarm is raised.
    """

    first_block: int
    end_block: int
    bins: Bins
    population: PopulationReference
    alarm_psi: npt.NDArray[np.float64]
    misses: MissReference
    losses: LossSketch
    confirming_limit: float
    lasting_limit: float

    @property
    def miss_tests(self) -> int:
        """Cells in which misses are followed, over all windows."""
        return len(WINDOWS_DAYS) * (int(np.sum(np.array(self.misses.misses) > 0)) + 1)


def table_losses(scored: Scored) -> Losses:
    """Return min(log-loss, 5) / 5 of the label that came true, float64[n]; NaN where it is not known."""
    return np.where(
        np.isnan(scored.likelihood), np.nan, scaled_losses(np.ones(len(scored.likelihood), bool), scored.likelihood)
    )


def columns_of(table: LabelledTable, rows: slice, scored: Scored) -> npt.NDArray[np.float32]:
    """Return the features and, behind them, the score, float32[n, F + 1]."""
    return np.column_stack((table.values[rows], scored.score))


def block_misses(table: LabelledTable, rows: slice, cells: Codes, losses: Losses) -> Misses:
    """Pick the heavy losses of a block among the rows whose label is known."""
    known = ~np.isnan(losses)
    each = np.arange(len(losses), dtype=np.uint64)
    cluster = each if table.cluster is None else table.cluster[rows]
    return Misses.of(cells[known], losses[known], cluster[known], each[known])


def build_table_reference(
    table: LabelledTable, blocks: Blocks, first: int, end: int, scored: Scored, budget: FalseAlarmBudget, seed: int
) -> TableReference:
    """Make a reference of the blocks from `first` up to `end`, scored out of sample.

    Half of the budget of alarms goes to falls of the performance and half to shifts of inputs.
    """
    rows = blocks.rows(first, end)
    values = columns_of(table, rows, scored)
    bins = Bins.of(values, [*table.names, SCORE], _are_codes(table, values))
    cells, losses = bins.cells(values), table_losses(scored)
    parts = [slice(blocks[at].start - rows.start, blocks[at].stop - rows.start) for at in range(first, end)]
    random = np.random.default_rng(seed)
    each = np.arange(len(cells), dtype=np.uint64)
    cluster = each if table.cluster is None else table.cluster[rows]
    daily = [(cells[part], cluster[part]) for part in parts]
    misses = [block_misses(table, blocks[first + at], cells[part], losses[part]) for at, part in enumerate(parts)]
    known = [int(np.sum(~np.isnan(losses[part]))) for part in parts]
    counts = np.array([count_cells(part, np.ones(len(part))) for part, _ in daily])
    own, effect = stability_of_weeks(counts), design_effect(counts)
    alarm_psi = np.maximum(effect * psi_limits(daily, 2 * budget.alarm_days, random), ALARM_TIMES_OWN * own)
    warning_psi = np.maximum(effect * psi_limits(daily, budget.warning_days, random), WARNING_TIMES_OWN * own)
    miss_reference, confirming, lasting = _miss_reference(
        misses, known, budget, random, clustered=table.cluster is not None
    )
    return TableReference(
        first_block=first,
        end_block=end,
        bins=bins,
        population=_population_reference(counts, warning_psi, days=blocks.unit == "day"),
        alarm_psi=np.maximum(alarm_psi, LEAST_ALARM_PSI),
        misses=miss_reference,
        losses=LossSketch.of(losses[~np.isnan(losses)]),
        confirming_limit=confirming,
        lasting_limit=lasting,
    )


def _are_codes(table: LabelledTable, values: npt.NDArray[np.float32]) -> list[bool]:
    """Whether a column's values are named one by one: texts, and numbers of which the reference holds but a few.

    A column that is constant in the reference and then moves would otherwise have one cell and never show it.
    """
    few = [len(np.unique(values[:, at][~np.isnan(values[:, at])])) < QUANTILE_BINS for at in range(len(table.names))]
    return [name in table.texts or is_few for name, is_few in zip(table.names, few, strict=True)] + [False]


def _miss_reference(
    daily: list[Misses], rows: list[int], budget: FalseAlarmBudget, random: np.random.Generator, *, clustered: bool
) -> tuple[MissReference, float, float]:
    """Return the reference, the limit that confirms a rise of the losses, and that of lasting rises."""
    counted, squared = np.array([day.counted() for day in daily]), np.array([day.squared() for day in daily])
    misses, squares = counted.sum(axis=0), squared.sum(axis=0)
    total, unit = sum(rows), miss_unit(misses, squares)
    least = max(LEAST_EXCESS_OF_MISSES * misses[0].sum(), LEAST_EXCESS_PER_ROW * total)
    # `MissArithmetic` takes its effect size as a share of the frauds.
    counted_as_frauds = int(np.ceil(least / LEAST_EXCESS_SHARE))
    floor = 1.0 if clustered else _row_dispersion(with_total(misses), with_total(squares), unit, total)
    spread = dispersion(np.array([with_total(day) for day in counted]), unit, floor)
    spread = pooled_dispersion(spread, with_total(misses) > 0, len(misses))
    arithmetic = MissArithmetic(total, counted_as_frauds, misses, squares, spread)
    pseudo = PseudoDays.of(daily, rows, random) if clustered else _resampled_rows(daily, rows, random)
    stretch = int(_STRETCH_BUDGETS * budget.alarm_days)
    maxima = simulate_maxima(pseudo, arithmetic, stretch, random)
    lasting = simulate_maxima(pseudo, arithmetic, stretch, random, LONG_WINDOWS).total
    own, own_total = largest_excess(counted, squared, np.asarray(rows), counted_as_frauds / total, spread)
    by_chance = limit_for(maxima.joint, 2 * budget.alarm_days, len(WINDOWS_DAYS) * int(np.sum(misses > 0)))
    reference = MissReference(
        rows=total,
        days=len(rows),
        frauds=counted_as_frauds,
        misses=misses.tolist(),
        squares=squares.tolist(),
        dispersion=spread.tolist(),
        limit=max(by_chance, FALL_TIMES_OWN * own),
    )
    confirming = limit_for(maxima.total, CONFIRMING_BLOCKS, len(WINDOWS_DAYS))
    lasting_limit = limit_for(lasting, 2 * budget.alarm_days, len(LONG_WINDOWS))
    own_long = largest_excess(counted, squared, np.asarray(rows), counted_as_frauds / total, spread, LONG_WINDOWS)[1]
    return (
        reference,
        max(confirming, CONFIRMING_TIMES_OWN * own_total),
        max(lasting_limit, CONFIRMING_TIMES_OWN * own_long),
    )


def _row_dispersion(
    misses: npt.NDArray[np.float64], squares: npt.NDArray[np.float64], unit: float, rows: int
) -> npt.NDArray[np.float64]:
    """Return by how much a cell's misses vary if rows are independent, in units of a Poisson count's variance [C].

    Where each second row is a miss, as in a hard table, that is far less than 1.
    """
    variance = squares - misses**2 / max(1, rows)
    return np.where(misses > 0, variance / np.maximum(misses * unit, 1e-12), 1.0)


def _resampled_rows(daily: list[Misses], rows: list[int], random: np.random.Generator) -> PseudoDays:
    """Resample the rows of each block with replacement; rows that are no miss count for their number only."""
    drawn = []
    for day, count in zip(daily, rows, strict=True):
        heavy = len(day.weight)
        chances = np.append(np.full(heavy, 1.0 / max(1, count)), max(0.0, 1.0 - heavy / max(1, count)))
        times = random.multinomial(count, chances, RESAMPLES)[:, :heavy].astype(np.float64)
        drawn.append([with_total(day.counted(row)) for row in times])
    return PseudoDays(np.asarray(rows, np.int64), np.asarray(drawn, np.float32))


def _population_reference(
    counts: npt.NDArray[np.float64], psi: npt.NDArray[np.float64], *, days: bool
) -> PopulationReference:
    rows = counts[:, 0].sum(axis=1)
    missing = counts[:, :, MISSING] / rows[:, None]
    rise = np.maximum(LEAST_MISSING_RISE, DEVIATIONS * missing.std(axis=0))
    # Blocks that were cut to a size have no volume of their own.
    change = max(LEAST_VOLUME_CHANGE * rows.mean(), DEVIATIONS * rows.std()) if days else np.inf
    return PopulationReference(
        rows=int(rows.sum()),
        shares=(counts.sum(axis=0) / rows.sum()).tolist(),
        psi_limits=psi.tolist(),
        missing_limits=(missing.mean(axis=0) + rise).tolist(),
        volume=[(max(0.0, rows.mean() - change), rows.mean() + change)] * DAYS_A_WEEK,
    )
