"""What scores alone lead to expect before any label is there: confidence-based performance estimation."""

import numpy as np
import numpy.typing as npt

from models.metrics.calibration import CalibrationMap
from models.metrics.performance import alerts
from models.metrics.scored_rows import ScoredRows
from models.schema.performance import EstimatedFigures

Floats = npt.NDArray[np.float64]


def estimate(rows: ScoredRows, calibration: CalibrationMap) -> EstimatedFigures:
    """Return the figures to be expected of rows without labels.

    They hold as far as the chance of fraud at a score is still what it was: a new tactic that the model does not see
    changes neither the scores nor this estimate. Only labels show it.

    Parameters
    ----------
    rows: any rows; their labels are not looked at.
    calibration: fitted on rows that the model was not fitted on.

    References
    ----------
    Kivimäki, Białek, Kuberski, Nurminen (2025): Performance Estimation in Binary Classification Using Calibrated
    Confidence.
    """
    chance, flagged = calibration.chance(rows.score), alerts(rows)
    frauds, caught, flags = float(chance.sum()), float(chance[flagged].sum()), int(flagged.sum())
    return EstimatedFigures(
        rows=len(rows),
        alerts=flags,
        frauds=frauds,
        frauds_flagged=caught,
        precision=caught / flags if flags else None,
        recall=caught / frauds if frauds else None,
        average_precision=expected_average_precision(chance, rows.score) if frauds else None,
    )


def expected_average_precision(chance: Floats, score: npt.NDArray[np.floating]) -> float:
    """Average precision to be expected of rows that are frauds with the given chances, independently.

    For each row, if it is a fraud: itself and the frauds to be expected among the others at or above its score, over
    the rows there; their mean, weighted by the chance that the row is one.

    Parameters
    ----------
    chance: float64[n] with a sum above 0.
    score: [n] what the rows are ranked by; ties are reached together.

    Examples
    --------
    >>> expected_average_precision(np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.8, 0.7])) == (1 + 2 / 3) / 2
    True
    """
    order = np.argsort(-score, kind="stable")
    ranked, mine = score[order], chance[order]
    last_of_tie = np.searchsorted(-ranked, -ranked, side="right")
    above = np.cumsum(mine)[last_of_tie - 1]
    return float(np.sum(mine * (1.0 + above - mine) / last_of_tie) / mine.sum())
