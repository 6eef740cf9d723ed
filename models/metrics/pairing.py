"""How far two models agree on the same transactions: no label is needed, so a release is watched by it."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.metrics.ranking import UndefinedMetricError
from models.metrics.scored_rows import APPROVE

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.floating]
Decisions = npt.NDArray[np.unsignedinteger]

TOP_SHARE: Final = 0.005
"""Share of rows that count as the top: what analysts are asked to review by default."""


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """What two models make of the same rows.

    Attributes
    ----------
    rows: how many.
    rank_correlation: Spearman's, tied scores with their mean rank; None where a side gives one score to all rows.
    top_overlap: share of the champion's top .5 % that is the candidate's too.
    flipped: share of rows that one side alerts (review or decline) and the other does not.
    flipped_value: the same as a share of the amount; None where no row has one.
    champion_alert_rate, candidate_alert_rate: share of rows alerted.
    """

    rows: int
    rank_correlation: float | None
    top_overlap: float
    flipped: float
    flipped_value: float | None
    champion_alert_rate: float
    candidate_alert_rate: float


def pair(
    champion: Scores,
    candidate: Scores,
    champion_decisions: Decisions,
    candidate_decisions: Decisions,
    amount: npt.NDArray[np.generic],
) -> Pairing:
    """Compare two models row by row.

    Parameters
    ----------
    champion, candidate: float[n] scores of the same rows, at least one.
    champion_decisions, candidate_decisions: uint8[n] APPROVE, REVIEW or DECLINE.
    amount: [n] in any one unit, not negative.

    Raises
    ------
    UndefinedMetricError: no row, columns of unequal lengths, or a score that is not finite.

    Examples
    --------
    >>> scores = np.array([0.1, 0.2, 0.9, 0.8])
    >>> none, last = np.zeros(4, np.uint8), np.array([0, 0, 0, 1], np.uint8)
    >>> found = pair(scores, scores[::-1], none, last, np.array([10, 10, 10, 30]))
    >>> round(found.rank_correlation, 2), found.top_overlap, found.flipped, found.flipped_value
    (-0.6, 0.0, 0.25, 0.5)
    """
    lengths = {len(each) for each in (champion, candidate, champion_decisions, candidate_decisions, amount)}
    if len(lengths) > 1 or not len(champion):
        raise UndefinedMetricError(f"a pairing has columns of lengths {sorted(lengths)}: give one entry per row")
    strange = int(np.sum(~np.isfinite(champion)) + np.sum(~np.isfinite(candidate)))
    if strange:
        raise UndefinedMetricError(f"{strange} scores are not finite: leave those rows out")
    alerted, candidate_alerted = champion_decisions != APPROVE, candidate_decisions != APPROVE
    flipped = alerted != candidate_alerted
    total = float(amount.sum(dtype=np.float64))
    return Pairing(
        rows=len(champion),
        rank_correlation=_correlation(_ranks(champion), _ranks(candidate)),
        top_overlap=_overlap(champion, candidate),
        flipped=float(flipped.mean()),
        flipped_value=float(amount[flipped].sum(dtype=np.float64)) / total if total else None,
        champion_alert_rate=float(alerted.mean()),
        candidate_alert_rate=float(candidate_alerted.mean()),
    )


def _ranks(scores: Scores) -> Floats:
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _correlation(first: Floats, second: Floats) -> float | None:
    first, second = first - first.mean(), second - second.mean()
    spread = float(np.sqrt(np.sum(first**2) * np.sum(second**2)))
    return float(np.sum(first * second)) / spread if spread else None


def _overlap(champion: Scores, candidate: Scores) -> float:
    places = max(1, round(TOP_SHARE * len(champion)))
    return float(np.minimum(_taken(champion, places), _taken(candidate, places)).sum()) / places


def _taken(scores: Scores, places: int) -> Floats:
    """Return the share of each row that is in the top; rows tied at its end divide the places that are left."""
    last = np.partition(scores, -places)[-places]
    above, tied = scores > last, scores == last
    return np.asarray(above + tied * ((places - above.sum()) / tied.sum()), np.float64)
