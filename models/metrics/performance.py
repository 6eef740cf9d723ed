"""What a model's scores were worth on rows whose labels are known: every figure of a week, with its interval."""

import numpy as np
import numpy.typing as npt

from models.metrics import intervals
from models.metrics.calibration import calibration_error
from models.metrics.handbook import daily_card_precision
from models.metrics.scored_rows import APPROVE, ScoredRows
from models.metrics.tally import Ranking, Tally
from models.schema.performance import Figure, Figures
from models.schema.topics import DAY_MS


def alerts(rows: ScoredRows) -> npt.NDArray[np.bool_]:
    """Rows that the score flagged, bool[n]: sent to review, declined, or let pass as control."""
    return np.asarray((rows.decision != APPROVE) | rows.control)


def mature(rows: ScoredRows, maturity_ms: int) -> npt.NDArray[np.bool_]:
    """Rows that are older than `maturity_ms`, bool[n]."""
    return np.asarray(rows.event_time < rows.as_of - maturity_ms)


def counted(rows: ScoredRows, maturity_ms: int) -> npt.NDArray[np.bool_]:
    """Rows that figures rest on, bool[n]: mature, and it is known what they were.

    A younger row does not count even when somebody has stated it: the first statements are frauds almost all, and
    figures of stated rows alone would find every alert right. A declined row counts when somebody states it.
    """
    return np.asarray(mature(rows, maturity_ms) & rows.known(maturity_ms))


def ranking(rows: ScoredRows, weight: npt.NDArray[np.float64] | None = None) -> Ranking:
    """Rank rows by their scores; `weight` is how many rows each stands for."""
    return Ranking(
        score=rows.score,
        fraud=rows.is_fraud,
        alert=alerts(rows),
        amount=rows.amount_minor,
        card=rows.card,
        weight=weight,
    )


def measure(rows: ScoredRows, *, seed: int = 0, resamples: int = intervals.RESAMPLES) -> Figures:
    """Return all figures of rows that count.

    Parameters
    ----------
    rows: rows that `counted` picks; every one has a label.
    seed: of the resamples; the same seed gives the same limits.
    resamples: 0 leaves the limits out.
    """
    ranked = ranking(rows)
    point, drawn = ranked.tally(), ranked.resampled(resamples, seed)
    return Figures(
        precision=precision(ranked, point, drawn),
        recall=recall(ranked, point, drawn),
        average_precision=figure("average_precision", point, drawn),
        auc=figure("auc", point, drawn),
        card_precision_100=_card_precision(rows),
        false_positives_per_fraud=figure("false_positives_per_fraud", point, drawn),
        value_detection_rate=figure("value_detection_rate", point, drawn),
        expected_to_confirmed_ratio=figure("expected_to_confirmed_ratio", point, drawn),
        calibration_error=_calibration_error(rows),
        log_loss=figure("log_loss", point, drawn),
    )


def figure(name: str, point: Tally, drawn: Tally) -> Figure:
    """Return one of a tally's ratios with its interval."""
    return intervals.resampled(float(getattr(point, name)[0]), getattr(drawn, name))


def precision(ranked: Ranking, point: Tally, drawn: Tally) -> Figure:
    """Share of frauds among the alerts."""
    return intervals.share(float(point.precision[0]), drawn.precision, ranked.clusters("alerts"))


def recall(ranked: Ranking, point: Tally, drawn: Tally) -> Figure:
    """Share of alerts among the frauds."""
    return intervals.share(float(point.recall[0]), drawn.recall, ranked.clusters("frauds"))


def _card_precision(rows: ScoredRows) -> Figure:
    if not rows.is_fraud.any():
        return intervals.undefined()
    daily = daily_card_precision(rows.event_time // DAY_MS, rows.card, rows.is_fraud, rows.score)
    return intervals.mean_of_days(np.array(daily))


def _calibration_error(rows: ScoredRows) -> Figure:
    # Without an interval: a resample's error is larger than the rows' own by construction.
    return Figure(calibration_error(rows.score, rows.is_fraud)) if len(rows) else intervals.undefined()
