"""How far a model may be from the one that it is compared with: by the hold-out where there is one."""

from typing import Self

import msgspec

from models.metrics.pairing import Pairing


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the guardrails; a figure breaks one only when it is beyond it by more than chance.

    The numbers were chosen on pairs of honest models of the handbook's data and on made bad ones (docs/release.md).
    The ranks of the bulk say little: two honest models had a rank correlation of .05 over all rows, and 92 % of their
    top .5 % in common.

    Attributes
    ----------
    rank_correlation: least over all rows. Without a hold-out it only tells a model that is upside down.
    top_rank_correlation: least among the rows that are in either one's top 5 %. Chance gives -.7 there, because a row
        that is in one top is low in the other; honest pairs gave -.2 or more.
    top_overlap, wide_overlap: least share of the baseline's top .5 % and 5 % that is the model's too.
    flipped, flipped_value: largest share of rows and of their amount that one alerts and the other does not.
    flipped_per_alert: added to `flipped` for each alert that the baseline has.
    fewest_alerts, most_alerts: alerts of the model for each of the baseline.
    fewest_share, most_share: alerts of the model as a share of the rows. Both limits have to be broken: after a change
        the baseline alerts on too much or too little itself, and then the model is held to what it was expected to do.
    same_score: largest share of rows with one and the same score; a baseline that has more moves it.
    missing: largest share of rows without a score.
    slow_ratio, slow_us: a model is slow when it takes so many times the baseline's time and so many us a row.
    """

    rank_correlation: float = -0.1
    top_rank_correlation: float = -0.4
    top_overlap: float = 0.1
    wide_overlap: float = 0.2
    flipped: float = 0.01
    flipped_per_alert: float = 1.5
    flipped_value: float = 0.15
    fewest_alerts: float = 1 / 1.7
    most_alerts: float = 1.7
    fewest_share: float = 1.0
    most_share: float = 0.0
    same_score: float = 0.95
    missing: float = 0.001
    slow_ratio: float = 3.0
    slow_us: float = 250.0

    @classmethod
    def expecting(cls, pairing: Pairing | None) -> Self:
        """Return the limits of two models of which a hold-out is known, the defaults where none is.

        Examples
        --------
        >>> found = {"rank_correlation": 0.5, "top_overlap": 0.9, "flipped": 0.001, "flipped_value": 0.002}
        >>> pairing = Pairing(rows=9000, **found, champion_alert_rate=0.005, candidate_alert_rate=0.0055)
        >>> limits = Limits.expecting(pairing)
        >>> round(limits.rank_correlation, 2), limits.top_overlap, round(limits.most_alerts, 2), limits.most_share
        (0.15, 0.45, 1.76, 0.0088)
        """
        if pairing is None:
            return cls()
        ratio = 1.0
        if pairing.champion_alert_rate and pairing.candidate_alert_rate:
            ratio = pairing.candidate_alert_rate / pairing.champion_alert_rate
        correlation, value, share = pairing.rank_correlation, pairing.flipped_value, pairing.candidate_alert_rate
        usual = cls()
        return cls(
            rank_correlation=usual.rank_correlation if correlation is None else correlation / 2 - 0.1,
            top_overlap=pairing.top_overlap / 2,
            flipped=2.5 * pairing.flipped + 0.004,
            flipped_per_alert=0.0,
            flipped_value=usual.flipped_value if value is None else 3 * value + 0.02,
            fewest_alerts=ratio / 1.6,
            most_alerts=ratio * 1.6,
            fewest_share=share / 1.6 if share else usual.fewest_share,
            most_share=share * 1.6,
        )
