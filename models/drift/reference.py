"""What a model was used to, from rows that it was not fitted on: everything that its drift tests compare with."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from models.drift.bins import MISSING, Bins
from models.drift.calibration import DAYS_A_WEEK, FEWEST_WEEKS, PseudoDays, limit_for, psi_limits, simulate_maxima
from models.drift.concept import LossSketch, scaled_losses
from models.drift.day_counts import SCORE, ClusterMemory, Misses, columns_of, count_cells
from models.drift.estimate import EstimateReference
from models.drift.misses import WINDOWS_DAYS, MissArithmetic, MissReference, dispersion, miss_unit, with_total
from models.drift.population import (
    DEVIATIONS,
    LEAST_MISSING_RISE,
    LEAST_SCORE_PSI,
    LEAST_VOLUME_CHANGE,
    PopulationReference,
)
from models.drift.ranking_counts import score_levels
from models.errors import FraudstreamError
from models.metrics.calibration import CalibrationMap
from models.metrics.ranking import average_precision
from models.metrics.scored_rows import ScoredRows
from models.schema.topics import DAY_MS

FEWEST_FRAUDS: Final = 50
"""Below so many the misses of a day say nothing."""
_STRETCH_BUDGETS: Final = 20
"""Days simulated to find the limit of alarms, in budgets."""


class DriftReferenceError(FraudstreamError):
    """Raised when rows cannot serve as a reference."""


class FalseAlarmBudget(msgspec.Struct, frozen=True):
    """How often all tests together may be wrong: once in so many event days."""

    alarm_days: float = 730.0
    warning_days: float = 90.0


class DriftReference(msgspec.Struct, frozen=True):
    """The reference of one model; it travels in the model's manifest.

    Attributes
    ----------
    description: which rows, and how they were scored out of sample.
    from_event_time, to_event_time: first and last of them, ms.
    rows, days, frauds: how many.
    bins: cells of the features and, last, of the score.
    population, misses, losses: what the tests compare with.
    confirming_limit: excess of all misses together that confirms a rise of the losses; passed once in `warning_days`.
    calibration: chance of fraud by score.
    estimate: what the scores of a week promise by it.
    weekly_average_precision: of each week.
    budget: what the limits were made for.
    tests: how many limits there are, for a reader who wonders.
    """

    description: str
    from_event_time: int
    to_event_time: int
    rows: int
    days: int
    frauds: int
    bins: Bins
    population: PopulationReference
    misses: MissReference
    losses: LossSketch
    confirming_limit: float
    calibration: CalibrationMap
    estimate: EstimateReference
    weekly_average_precision: list[float]
    budget: FalseAlarmBudget
    tests: int

    @property
    def average_precision(self) -> float:
        """Mean of the weeks."""
        return float(np.mean(self.weekly_average_precision))

    def column_name(self, column: int) -> str:
        """Return the name of a column of the cells."""
        return self.bins.columns[column].name


def build_reference(
    rows: ScoredRows,
    names: Sequence[str],
    code_names: Sequence[str],
    description: str,
    budget: FalseAlarmBudget | None = None,
    seed: int = 1,
) -> DriftReference:
    """Make a reference of rows that were scored out of sample, with the labels known at their maturity.

    Parameters
    ----------
    rows: whole event days one after the other, two whole weeks or more, after every feature's window has filled.
    names: [F] of the features.
    code_names: those whose values are codes.
    description: which rows these are.
    budget: of false alarms.
    seed: of the resampling.

    Raises
    ------
    DriftReferenceError: days are missing, there are fewer than two whole weeks, or too few frauds.
    """
    budget = budget or FalseAlarmBudget()
    days = _whole_weeks(rows)
    random = np.random.default_rng(seed)
    bins = Bins.of(columns_of(rows), [*names, SCORE], [*(name in code_names for name in names), False])
    cells = bins.cells(columns_of(rows))
    losses = scaled_losses(rows.is_fraud, rows.score)
    parts = [slice(*np.searchsorted(rows.event_time, (day * DAY_MS, (day + 1) * DAY_MS))) for day in days]
    memory = ClusterMemory()
    daily = [Misses.of(cells[part], losses[part], rows.card[part], rows.terminal[part], memory) for part in parts]
    sizes = [int(part.stop - part.start) for part in parts]
    misses, confirming_limit = _miss_reference(daily, sizes, int(rows.is_fraud.sum()), budget, random)
    weekly = [
        average_precision(rows.is_fraud[week], rows.score[week])
        for week in (slice(parts[at].start, parts[at + 6].stop) for at in range(0, len(parts), DAYS_A_WEEK))
    ]
    calibration = CalibrationMap.fit(rows.score, rows.is_fraud)
    return DriftReference(
        description=description,
        from_event_time=int(rows.event_time[0]),
        to_event_time=int(rows.event_time[-1]),
        rows=len(rows),
        days=len(days),
        frauds=int(rows.is_fraud.sum()),
        bins=bins,
        population=_population_reference([(cells[part], rows.card[part]) for part in parts], days, budget, random),
        misses=misses,
        losses=LossSketch.of(losses),
        confirming_limit=confirming_limit,
        calibration=calibration,
        estimate=EstimateReference.of([score_levels(rows.score[part]) for part in parts], calibration),
        weekly_average_precision=weekly,
        budget=budget,
        tests=len(WINDOWS_DAYS) * (int(np.sum(np.array(misses.misses) > 0)) + 1) + 3 * len(bins) + 3,
    )


def _whole_weeks(rows: ScoredRows) -> list[int]:
    if not len(rows):
        raise DriftReferenceError("a drift reference needs rows, got 0; train on more days")
    first, last = (int(moment) // DAY_MS for moment in (rows.event_time[0], rows.event_time[-1]))
    days = np.unique(rows.event_time // DAY_MS)
    if len(days) != last - first + 1:
        raise DriftReferenceError(
            f"{last - first + 1 - len(days)} days of the drift reference hold no rows; fill the gap"
        )
    if len(days) % DAYS_A_WEEK or len(days) < FEWEST_WEEKS * DAYS_A_WEEK:
        raise DriftReferenceError(
            f"a drift reference of {len(days)} days cannot support a budget of false alarms; "
            f"give {FEWEST_WEEKS} whole weeks or more"
        )
    frauds = int(rows.is_fraud.sum())
    if frauds < FEWEST_FRAUDS:
        raise DriftReferenceError(
            f"a drift reference with {frauds} frauds cannot support a budget of false alarms; "
            f"give {FEWEST_FRAUDS} or more"
        )
    return [int(day) for day in days]


def _miss_reference(
    daily: Sequence[Misses], sizes: Sequence[int], frauds: int, budget: FalseAlarmBudget, random: np.random.Generator
) -> tuple[MissReference, float]:
    counted = np.array([day.counted() for day in daily])
    misses, squares = counted.sum(axis=0), np.sum([day.squared() for day in daily], axis=0)
    spread = dispersion(np.array([with_total(day) for day in counted]), miss_unit(misses, squares))
    arithmetic = MissArithmetic(sum(sizes), frauds, misses, squares, spread)
    pseudo = PseudoDays.of(daily, sizes, random)
    maxima = simulate_maxima(pseudo, arithmetic, int(_STRETCH_BUDGETS * budget.alarm_days), random)
    reference = MissReference(
        rows=sum(sizes),
        days=len(sizes),
        frauds=frauds,
        misses=misses.tolist(),
        squares=squares.tolist(),
        dispersion=spread.tolist(),
        limit=limit_for(maxima.joint, budget.alarm_days, len(WINDOWS_DAYS) * int(np.sum(misses > 0))),
    )
    return reference, limit_for(maxima.total, budget.warning_days, len(WINDOWS_DAYS))


def _population_reference(
    daily: Sequence[tuple[np.ndarray, np.ndarray]],
    days: Sequence[int],
    budget: FalseAlarmBudget,
    random: np.random.Generator,
) -> PopulationReference:
    counts = np.array([count_cells(cells, np.ones(len(cells))) for cells, _ in daily])
    rows = counts[:, 0].sum(axis=1)
    missing = counts[:, :, MISSING] / rows[:, None]
    rise = np.maximum(LEAST_MISSING_RISE, DEVIATIONS * missing.std(axis=0))
    limits = psi_limits(daily, budget.warning_days, random)
    limits[-1] = max(limits[-1], LEAST_SCORE_PSI)
    return PopulationReference(
        rows=int(rows.sum()),
        shares=(counts.sum(axis=0) / rows.sum()).tolist(),
        psi_limits=limits.tolist(),
        missing_limits=(missing.mean(axis=0) + rise).tolist(),
        volume=[_volume_limits(rows[np.asarray(days) % DAYS_A_WEEK == weekday]) for weekday in range(DAYS_A_WEEK)],
    )


def _volume_limits(rows: np.ndarray) -> tuple[float, float]:
    """Least and most rows of a weekday that are no news."""
    mean = float(rows.mean())
    change = max(LEAST_VOLUME_CHANGE * mean, DEVIATIONS * float(rows.std()))
    return max(0.0, mean - change), mean + change
