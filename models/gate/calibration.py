"""Whether the candidate's scores are chances: in all, and bin by bin."""

import math
from typing import Final

import numpy as np

from models.gate.check import Check, interval, unharmed
from models.gate.gate_rows import GateRows
from models.gate.limits import GateLimits
from models.gate.resamples import CardResamples, Sampled
from models.schema.performance import Figure

_EDGES: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6)
"""The bins of `models.metrics.calibration`, which takes no weights; a test holds the two together."""
_NOISE: Final = 0.95


def check_calibration(rows: GateRows, resamples: CardResamples, limits: GateLimits) -> list[Check]:
    """Judge the ratio of expected to confirmed frauds, and the calibration error, of the candidate."""
    frauds = resamples.sum(rows.weights * rows.is_fraud)
    if not rows.is_fraud.any():
        return [
            Check(
                name="expected_to_confirmed_ratio",
                verdict="undecided",
                figure=None,
                unit="ratio",
                sentence="without a fraud nothing is known of the calibration",
            )
        ]
    clusters = len(np.unique(resamples.place[rows.is_fraud]))
    expected = resamples.sum(rows.weights * rows.candidate)
    return [
        _check_ratio((expected / frauds).figure(clusters), expected.value, frauds.value, limits.calibration_factor),
        _check_error(_misplaced(rows, resamples, frauds.value), limits.calibration_misplaced),
    ]


def _check_ratio(figure: Figure, expected: float, frauds: float, factor: float) -> Check:
    return Check.of(
        "expected_to_confirmed_ratio",
        unharmed(figure, at_least=1 / factor, at_most=factor),
        figure,
        at_least=1 / factor,
        at_most=factor,
        unit="ratio",
        sentence=(
            f"the candidate's scores expect {expected:,.1f} frauds, {frauds:,.1f} were confirmed: a ratio of "
            f"{figure.value:.3f}{interval(figure, 3)}; {1 / factor:.2f} to {factor:.2f} are allowed"
        ),
    )


def _check_error(figure: Figure, most: float) -> Check:
    return Check.of(
        "calibration_error",
        unharmed(figure, at_most=most),
        figure,
        at_most=most,
        unit="calibration error over share of frauds",
        sentence=(
            f"bin by bin the candidate expects too many or too few frauds by {figure.value:.3f} of all confirmed ones"
            f"{interval(figure, 3)}; {most:g} are allowed"
        ),
    )


def _misplaced(rows: GateRows, resamples: CardResamples, frauds: float) -> Figure:
    """Calibration error over the share of frauds, less and plus the noise that 95 % of the draws stay within.

    The error is a sum of distances, so noise adds to it: |true + noise| lies within |noise| of |true|. What the draws
    add to the bins is that noise, and the interval holds the true error at least as often as it says.
    """
    place = np.searchsorted(_EDGES, rows.candidate, side="right")
    surplus = rows.weights * (rows.candidate - rows.is_fraud)
    bins: list[Sampled] = [resamples.sum(np.where(place == each, surplus, 0.0)) for each in range(len(_EDGES) + 1)]
    error = math.fsum(abs(each.value) for each in bins) / frauds
    noise = np.sum([np.abs(each.draws - each.value) for each in bins], axis=0) / frauds
    reach = float(np.quantile(noise, _NOISE))
    return Figure(error, max(error - reach, 0.0), error + reach)
