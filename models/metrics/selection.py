"""Figures with the declines put back: the control rows stand for what was declined beside them."""

from typing import Final

import numpy as np
import numpy.typing as npt

from models.metrics import performance
from models.metrics.intervals import RESAMPLES
from models.metrics.scored_rows import DECLINE, ScoredRows
from models.schema.performance import CorrectedFigures

Floats = npt.NDArray[np.float64]

WEIGHT_CAP: Final = 20.0
"""Largest weight of a control row: the default group of 5 % weighs 20 and is left as it is. A smaller group weighs more
and one row of it would decide the figure: the cap then takes the declines for fewer than they are, as the ratio of
`weight_cap` to 1 / pass probability says."""
FEWEST_ROWS_A_WEEK: Final = 50
"""Below it the share of frauds among the declined, taken as one half, is known to no better than +-14 %."""


def weights(rows: ScoredRows, cap: float = WEIGHT_CAP) -> Floats:
    """How many rows each row stands for, float[n]: a control row for 1 / its chance to pass, a decline for none."""
    chance = np.maximum(rows.pass_probability.astype(np.float64), 1.0 / cap)
    return np.where(rows.decision == DECLINE, 0.0, np.where(rows.control, 1.0 / chance, 1.0))


def effective_size(weight: Floats) -> float:
    """Number of rows of equal weight that would say as much, by Kish.

    Examples
    --------
    >>> effective_size(np.array([1.0, 1.0, 1.0])), round(effective_size(np.array([20.0, 1.0, 1.0])), 2)
    (3.0, 1.2)

    References
    ----------
    Kish (1965): Survey Sampling.
    """
    squares = float(np.sum(weight**2))
    return float(np.sum(weight)) ** 2 / squares if squares else 0.0


def correct(
    rows: ScoredRows, maturity_ms: int, *, cap: float = WEIGHT_CAP, seed: int = 0, resamples: int = RESAMPLES
) -> CorrectedFigures | None:
    """Return the corrected figures of a week's rows, or None without a control row that counts.

    A declined row does not count here even when it was stated: the control rows speak for it already.
    """
    counts = performance.counted(rows, maturity_ms) & (rows.decision != DECLINE)
    judged = rows.take(counts)
    if not judged.control.any():
        return None
    weight = weights(judged, cap)
    ranked = performance.ranking(judged, weight)
    point, drawn = ranked.tally(), ranked.resampled(resamples, seed)
    return CorrectedFigures(
        control_rows=int(judged.control.sum()),
        effective_control_rows=effective_size(weight[judged.control]),
        effective_alerts=effective_size(weight[performance.alerts(judged)]),
        weight_cap=cap,
        declines_not_represented=int(np.sum((rows.decision == DECLINE) & (rows.pass_probability <= 0))),
        precision=performance.precision(ranked, point, drawn),
        recall=performance.recall(ranked, point, drawn),
        average_precision=performance.figure("average_precision", point, drawn),
    )


def expected_control_rows(
    transactions_a_week: float, decline_rate: float, pass_rate: float, share_under_cap: float = 1.0
) -> float:
    """Control rows to be expected in a week.

    Parameters
    ----------
    transactions_a_week: how many are scored.
    decline_rate: share of them that the score would decline.
    pass_rate: chance with which one of these is let pass.
    share_under_cap: share of these that may pass at all: below the cap of the amount and no hard block.

    Examples
    --------
    >>> round(expected_control_rows(140_000, 0.004, 0.05, 0.9), 1)
    25.2
    """
    return transactions_a_week * decline_rate * pass_rate * share_under_cap


def control_warning(expected_rows: float) -> str | None:
    """Return what to say of a control group that is too small to correct anything, else None.

    Examples
    --------
    >>> control_warning(60) is None
    True
    """
    if expected_rows >= FEWEST_ROWS_A_WEEK:
        return None
    return (
        f"{expected_rows:.0f} control rows a week expected: below {FEWEST_ROWS_A_WEEK} the corrected figures are "
        "mostly noise; let a larger share pass or raise the caps"
    )
