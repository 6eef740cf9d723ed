"""Labels speak last: the champion against the one before it on the same matured transactions."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.metrics.tally import Ranking
from models.schema.model_event import Check, Verdict

LEAST_FRAUDS: Final = 30
"""With fewer the difference of two average precisions is known to .03 at best."""
MARGIN: Final = 0.02
"""Worse by less is no reason to go back: the gate lets as much pass on rows before the change."""
RESAMPLES: Final = 400
DEVIATIONS: Final = 3.0
"""It is asked every day for two weeks: the 97.5 % bound took 1 to 2 of 100 equal models for worse at each asking, three
deviations none of 340 (40 to 500 frauds; models with errors of their own)."""


class MaturedRowsError(FraudstreamError):
    """Raised when columns of matured rows do not fit together."""


@dataclass(frozen=True, slots=True, eq=False)
class MaturedRows:
    """Transactions that both models have scored and whose label is known.

    Attributes
    ----------
    score, previous_score: float[n] of the champion and of the one before it; rows that lack one are left out.
    is_fraud: bool[n].
    card: [n].
    weight: float[n] how many rows a row stands for, 1 / pass_probability for the control group; None for one each.
    """

    score: npt.NDArray[np.floating]
    previous_score: npt.NDArray[np.floating]
    is_fraud: npt.NDArray[np.bool_]
    card: npt.NDArray[np.generic]
    weight: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Refuse columns of unequal lengths."""
        weight = self.score if self.weight is None else self.weight
        lengths = {len(each) for each in (self.score, self.previous_score, self.is_fraud, self.card, weight)}
        if len(lengths) > 1:
            raise MaturedRowsError(f"matured rows have columns of lengths {sorted(lengths)}: give one entry per row")


def compare_matured(rows: MaturedRows, seed: int = 0) -> Check:
    """Return whether the champion is worse than the one before it: by MARGIN and three standard errors.

    Average precision of both on the same rows, cards resampled, the same cards for both.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> fraud, card = random.random(4000) < 0.05, random.integers(0, 500, 4000)
    >>> good, bad = fraud + random.normal(0, 0.3, 4000), random.random(4000)
    >>> compare_matured(MaturedRows(bad, good, fraud, card)).verdict
    'broken'
    >>> compare_matured(MaturedRows(good, bad, fraud, card)).verdict
    'ok'
    """
    both = np.isfinite(rows.score) & np.isfinite(rows.previous_score)
    frauds = int(rows.is_fraud[both].sum())
    if frauds < LEAST_FRAUDS or frauds == int(both.sum()):
        sentence = f"{frauds:,} frauds are known among the rows that both have scored; {LEAST_FRAUDS} are needed"
        return _check(None, "not enough yet", sentence, int(both.sum()))
    champion, previous = _ranking(rows, rows.score, both), _ranking(rows, rows.previous_score, both)
    found = float(champion.tally().average_precision[0]), float(previous.tally().average_precision[0])
    # Both hold the same cards in the same places, so one seed draws the same ones for both.
    resamples = [each.resampled(RESAMPLES, seed).average_precision for each in (champion, previous)]
    differences = resamples[0] - resamples[1]
    difference = found[0] - found[1]
    upper = difference + DEVIATIONS * float(np.std(differences[np.isfinite(differences)]))
    sentence = (
        f"average precision {found[0]:.3f}, that of the model before {found[1]:.3f} on the same {frauds:,} frauds; "
        f"the difference is at most {upper:+.3f}"
    )
    return _check(difference, "broken" if upper < -MARGIN else "ok", sentence, int(both.sum()))


def _ranking(rows: MaturedRows, score: npt.NDArray[np.floating], chosen: npt.NDArray[np.bool_]) -> Ranking:
    return Ranking(
        score=score[chosen],
        fraud=rows.is_fraud[chosen],
        alert=np.zeros(int(chosen.sum()), np.bool_),
        amount=np.zeros(int(chosen.sum())),
        card=rows.card[chosen],
        weight=None if rows.weight is None else rows.weight[chosen],
    )


def _check(figure: float | None, verdict: Verdict, sentence: str, rows: int) -> Check:
    return Check(
        name="matured average precision", figure=figure, limit=-MARGIN, verdict=verdict, sentence=sentence, rows=rows
    )
