"""What the candidate's alerts would be worth, and how many they would be."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.gate.check import Check, interval, unharmed
from models.gate.gate_rows import GateRows
from models.gate.limits import GateLimits
from models.gate.resamples import CardResamples, Sampled
from models.manifest import Thresholds
from models.scorer import APPROVE, DECLINE, REVIEW

Floats = npt.NDArray[np.float64]


def decide(score: npt.NDArray[np.float32], thresholds: Thresholds) -> npt.NDArray[np.uint8]:
    """Return APPROVE, REVIEW or DECLINE for each score, as `LoadedModel.decide` does.

    Examples
    --------
    >>> decide(np.array([0.2, 0.5, 0.9], np.float32), Thresholds(0.5, 0.9)).tolist()
    [0, 1, 2]
    """
    codes = np.where(score >= np.float32(thresholds.review), REVIEW, APPROVE).astype(np.uint8)
    if thresholds.decline is not None:
        codes[score >= np.float32(thresholds.decline)] = DECLINE
    return codes


def taken(score: npt.NDArray[np.float32], weight: Floats, room: float) -> Floats:
    """Share of each row that is alerted when the highest scores take `room`; rows tied at its end share what is left.

    Examples
    --------
    >>> taken(np.array([0.9, 0.5, 0.5, 0.1], np.float32), np.ones(4), room=2.0).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    order = np.argsort(-score, kind="stable")
    total = np.cumsum(weight[order])
    if room <= 0:
        return np.zeros(len(score))
    last = score[order[min(int(np.searchsorted(total, room)), len(score) - 1)]]
    above, tied = score > last, score == last
    share = (room - float(weight[above].sum())) / float(weight[tied].sum())
    return np.asarray(above + tied * min(max(share, 0.0), 1.0), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class EqualAlerts:
    """Both models' alerts when the candidate may flag as many rows as the champion does.

    Attributes
    ----------
    champion, candidate: float64[n] share of each row that is alerted.
    """

    champion: Floats
    candidate: Floats

    @classmethod
    def of(cls, rows: GateRows) -> "EqualAlerts":
        """Take the champion's alerts at its own thresholds, and as many of the candidate's highest scores."""
        alerted = (decide(rows.champion, rows.champion_thresholds) != APPROVE).astype(np.float64)
        room = float(np.sum(alerted * rows.weights))
        return cls(alerted, taken(rows.candidate, rows.weights, room))


def check_equal_alerts(rows: GateRows, resamples: CardResamples, limits: GateLimits) -> list[Check]:
    """Judge recall, precision and value detection rate at the champion's alert rate."""
    alerts = EqualAlerts.of(rows)
    fraud = rows.weights * rows.is_fraud
    value = fraud * rows.amount_minor
    frauds, amount = resamples.sum(fraud), resamples.sum(value)
    room = [resamples.sum(rows.weights * each) for each in (alerts.champion, alerts.candidate)]
    caught = [resamples.sum(fraud * each) for each in (alerts.champion, alerts.candidate)]
    valued = [resamples.sum(value * each) for each in (alerts.champion, alerts.candidate)]
    clusters = len(np.unique(resamples.place[rows.is_fraud]))
    rates = (
        ("recall", caught, [frauds, frauds], limits.loss_of_recall),
        ("precision", caught, room, limits.loss_of_precision),
        ("value_detection_rate", valued, [amount, amount], limits.loss_of_value_detection),
    )
    return [
        _check_rate(name, parts[0] / wholes[0], parts[1] / wholes[1], clusters, loss)
        for name, parts, wholes, loss in rates
    ]


def _check_rate(name: str, champion: Sampled, candidate: Sampled, clusters: int, loss: float) -> Check:
    figure = (candidate - champion).figure(clusters)
    words = name.replace("_", " ")
    if figure.value is None:
        sentence = f"{words} is not defined on these rows: they need frauds, and alerts of the champion"
    else:
        sentence = (
            f"at the champion's alert rate {words} is {candidate.value:.4f} against {champion.value:.4f}: "
            f"{figure.value:+.4f}{interval(figure)}; {loss:g} may be lost"
        )
    return Check.of(
        f"{name}_at_equal_alerts",
        unharmed(figure, at_least=-loss, harmless=0.0),
        figure,
        at_least=-loss,
        unit=f"difference in {words}",
        sentence=sentence,
    )


def check_expected_alerts(rows: GateRows, resamples: CardResamples, limits: GateLimits) -> Check:
    """Judge how the number of alerts would change at the swap, each model at its own thresholds."""
    flags = [
        decide(score, thresholds) != APPROVE
        for score, thresholds in (
            (rows.champion, rows.champion_thresholds),
            (rows.candidate, rows.candidate_thresholds),
        )
    ]
    champion, candidate = (resamples.sum(rows.weights * each) for each in flags)
    clusters = len(np.unique(resamples.place[flags[0] | flags[1]]))
    figure = ((candidate - champion) / champion).figure(clusters)
    most = limits.change_of_alerts
    if figure.value is None:
        sentence = f"the champion alerts none of these rows, the candidate {candidate.value:,.0f}: no change to measure"
    else:
        sentence = (
            f"the candidate's thresholds alert {candidate.value:,.0f} rows, the champion's {champion.value:,.0f}: "
            f"{100 * figure.value:+.1f} %, up to {100 * most:g} % more or fewer are allowed"
        )
    return Check.of(
        "expected_alerts",
        unharmed(figure, at_least=-most, at_most=most),
        figure,
        at_least=-most,
        at_most=most,
        unit="change as a share",
        sentence=sentence,
    )
