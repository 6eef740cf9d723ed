"""What analysts would find: card precision@100 of both models, day by day."""

import numpy as np

from models.gate.check import Check, interval, unharmed
from models.gate.gate_rows import GateRows
from models.gate.limits import GateLimits
from models.metrics.handbook import daily_card_precision
from models.metrics.intervals import mean_of_days
from models.schema.performance import Figure
from models.schema.topics import DAY_MS


def check_card_precision(rows: GateRows, limits: GateLimits) -> Check:
    """Compare the mean over days, with Student's interval of the daily differences.

    Resamples of a few days would reach too little, as `models.metrics.intervals` says.
    """
    days = rows.event_time // DAY_MS
    champion, candidate = (
        np.array(daily_card_precision(days, rows.card, rows.is_fraud, score))
        for score in (rows.champion, rows.candidate)
    )
    figure = _mean_difference(candidate - champion)
    sentence = (
        f"card precision@100 is {candidate.mean():.4f} against {champion.mean():.4f} of the champion over "
        f"{len(champion)} days: {figure.value:+.4f}{interval(figure)}; {limits.loss_of_card_precision:g} may be lost"
    )
    return Check.of(
        "card_precision_100",
        unharmed(figure, at_least=-limits.loss_of_card_precision, harmless=0.0),
        figure,
        at_least=-limits.loss_of_card_precision,
        unit="difference in card precision@100",
        sentence=sentence,
    )


def _mean_difference(daily: np.typing.NDArray[np.float64]) -> Figure:
    """Differences of shares lie in -1 to 1: moved to 0 to 1, their mean has the interval of any mean of days."""
    mean = mean_of_days((daily + 1) / 2)
    value, low, high = (None if each is None else 2 * each - 1 for each in (mean.value, mean.low, mean.high))
    return Figure(value, low, high)
