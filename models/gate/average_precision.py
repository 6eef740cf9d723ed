"""The proof: the candidate's average precision less the champion's, on the same rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.gate.check import Check, interval, proven, unharmed
from models.gate.gate_rows import GateRows
from models.gate.limits import GateLimits
from models.gate.resamples import Z80, Z95, CardResamples, Sampled
from models.metrics.selection import effective_size

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionDifference:
    """Average precision of both models on some of the rows.

    Attributes
    ----------
    champion, candidate: their average precision.
    difference: candidate less champion, in the same draws of cards.
    frauds: frauds in these rows.
    effective_frauds: number of frauds of equal weight that would say as much.
    clusters: cards that hold one.
    """

    champion: float
    candidate: float
    difference: Sampled
    frauds: int
    effective_frauds: float
    clusters: int

    @property
    def smallest_detectable(self) -> float | None:
        """True difference above the limit that such rows show with a chance of 80 %: 2.80 standard errors."""
        error = self.difference.standard_error
        return None if error is None else (Z95 + Z80) * error


class PairedRanking:
    """Both models' rankings of all rows, ready to be compared on any part of them."""

    def __init__(self, rows: GateRows, resamples: CardResamples) -> None:
        self._rows, self._resamples = rows, resamples
        self._orders = [np.argsort(-score, kind="stable") for score in (rows.champion, rows.candidate)]
        self._weights = rows.weights

    def difference(self, chosen: Mask) -> PrecisionDifference:
        """Compare on the rows that a mask bool[n] picks."""
        champion, candidate = (
            self._precision(score, order[chosen[order]])
            for score, order in zip((self._rows.champion, self._rows.candidate), self._orders, strict=True)
        )
        frauds = chosen & self._rows.is_fraud
        return PrecisionDifference(
            champion=champion.value,
            candidate=candidate.value,
            difference=candidate - champion,
            frauds=int(frauds.sum()),
            effective_frauds=effective_size(self._weights[frauds]),
            clusters=len(np.unique(self._resamples.place[frauds])),
        )

    def _precision(self, score: npt.NDArray[np.float32], order: npt.NDArray[np.int64]) -> Sampled:
        place, weight = self._resamples.place[order], self._weights[order]
        return self._resamples.average_precision(self._rows.is_fraud[order], score[order], place, weight)


def check_precision(name: str, where: str, found: PrecisionDifference, *, above: float, fewest_frauds: int) -> Check:
    """Judge one difference: its interval must lie above a limit, on enough frauds.

    With too few frauds it is undecided, whatever the interval says: it is not to be trusted then.
    """
    figure = found.difference.figure(found.clusters)
    unit = "difference in average precision"
    if found.effective_frauds < fewest_frauds or figure.value is None:
        sentence = (
            f"{found.effective_frauds:,.0f} frauds {where} are too few to compare average precision: "
            f"{fewest_frauds:,} are needed"
        )
        return Check.of(name, "undecided", figure, unit=unit, sentence=sentence, at_least=above)
    verdict = proven(figure, above)
    outcome = {
        "pass": f"the lower limit lies above {above:g}",
        "fail": f"even the upper limit lies below {above:g}",
        "undecided": f"it is not known on which side of {above:g} it lies; more frauds will tell",
    }[verdict]
    sentence = (
        f"average precision {where} is {found.candidate:.4f} against {found.champion:.4f} of the champion on "
        f"{found.frauds:,} frauds: {figure.value:+.4f}{interval(figure)}; {outcome}"
    )
    return Check.of(name, verdict, figure, unit=unit, sentence=sentence, at_least=above)


def deciding_rows(rows: GateRows) -> Mask:
    """Rows that must show that the candidate is better: those since the change in an incident, else all."""
    return rows.since_change if rows.changed_at is not None else np.ones(len(rows), np.bool_)


def check_average_precision(
    rows: GateRows, ranking: PairedRanking, deciding: PrecisionDifference, limits: GateLimits
) -> list[Check]:
    """Judge an incident's candidate on the rows since the change and on the others, any other one on all rows."""
    if rows.changed_at is None:
        return [
            check_precision(
                "average_precision",
                "on all rows",
                deciding,
                above=-limits.loss_on_schedule,
                fewest_frauds=limits.fewest_frauds_on_schedule,
            )
        ]
    return [
        check_precision(
            "average_precision_since_change",
            "since the change",
            deciding,
            above=limits.gain_since_change,
            fewest_frauds=limits.fewest_frauds,
        ),
        check_before_change(ranking.difference(~rows.since_change), limits),
    ]


def check_before_change(found: PrecisionDifference, limits: GateLimits) -> Check:
    """Judge what the candidate loses on the old fraud: proof where the rows allow one, else that no harm is seen.

    A small bank, or one whose champion is young, has so few frauds before the change that even an equal model could not
    prove its margin for weeks, while the new fraud goes on.
    """
    name, where, above = "average_precision_before_change", "before the change", -limits.loss_before_change
    error = found.difference.standard_error
    if error is not None and found.effective_frauds >= limits.fewest_frauds and Z95 * error <= -above:
        return check_precision(name, where, found, above=above, fewest_frauds=limits.fewest_frauds)
    figure, unit = found.difference.figure(found.clusters), "difference in average precision"
    if figure.value is None:
        sentence = f"{found.frauds:,} frauds {where}: nothing to compare"
        return Check.of(name, "pass", figure, unit=unit, sentence=sentence, at_least=above)
    sentence = (
        f"average precision {where} is {found.candidate:.4f} against {found.champion:.4f} of the champion on "
        f"{found.frauds:,} frauds, too few to show a difference of {-above:g}: {figure.value:+.4f}{interval(figure)}"
    )
    verdict = unharmed(figure, at_least=above, harmless=0.0)
    return Check.of(name, verdict, figure, unit=unit, sentence=sentence, at_least=above)
