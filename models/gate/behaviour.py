"""What a candidate does with rows that are changed on purpose: larger amounts, unknown fields, extreme values."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.gate.amount_rise import AmountRise
from models.gate.check import Check, interval, unharmed
from models.gate.gate_rows import GateRows, Scores
from models.gate.limits import GateLimits
from models.gate.resamples import Z95
from models.manifest import Thresholds
from models.schema.performance import Figure

Values = npt.NDArray[np.float32]

_ROWS: Final = 3000
"""Rows of each kind: a share of 1 % is then known to .4 %."""
_EXTREME_ROWS: Final = 10
_FEWEST_RISES: Final = 30
_FALLS: Final = 0.8
"""A score that keeps less of itself has fallen; steps of trees make smaller ones up and down."""
_OPTIONAL: Final = ("channel", "entry_mode", "merchant_group", "country")
"""Features of fields that a bank may leave out."""
_UNKNOWN: Final = (0.0, np.nan)
"""As the stream states an unknown field, and as a graph takes any unknown value."""
_EXTREMES: Final = (0.0, 1e9, np.nan)
_NEGATIVE: Final = ("card_amount_deviation",)
_MINUS: Final = -1e6


class Behaviour:
    """Changes rows and asks both models; the champion sets the limit where it does worse than the limits ask.

    Parameters
    ----------
    rows: rows to choose from.
    champion, candidate: the models.
    limits: of the shares.
    seed: of the choice.
    """

    def __init__(self, rows: GateRows, champion: Scores, candidate: Scores, limits: GateLimits, seed: int) -> None:
        self._rows, self._champion, self._candidate, self._limits = rows, champion, candidate, limits
        random = np.random.default_rng(seed)
        self._frauds = _some(rows.values[rows.is_fraud], random)
        self._genuine = _some(rows.values[~rows.is_fraud], random)
        self._any = np.concatenate((self._frauds[: _EXTREME_ROWS // 2], self._genuine[:_EXTREME_ROWS]))[:_EXTREME_ROWS]

    def checks(self) -> list[Check]:
        """Return all checks; a model that refuses to score fails the check in which it does."""
        named = (
            ("behaviour_amount", self._amount),
            ("behaviour_unknown_fields", self._unknown_fields),
            ("behaviour_extreme_values", self._extreme_values),
        )
        checks = []
        for name, check in named:
            try:
                checks.append(check(name))
            except FraudstreamError as error:
                sentence = f"a model does not score changed rows: {error}"
                checks.append(Check(name=name, verdict="fail", figure=None, unit="share of rows", sentence=sentence))
        return checks

    def _amount(self, name: str) -> Check:
        rise = AmountRise.of(self._frauds, self._rows.feature_names)
        if len(rise.before) < _FEWEST_RISES:
            sentence = f"{len(rise.before)} frauds exceed what their card usually pays: too few to raise their amounts"
            return Check(name=name, verdict="pass", figure=None, unit="share of frauds", sentence=sentence)
        champion, candidate = (
            float(np.mean(model.score(rise.after) < _FALLS * model.score(rise.before)))
            for model in (self._champion, self._candidate)
        )
        figure = _share(candidate, len(rise.before))
        most = max(self._limits.falls_with_amount, champion)
        return _bounded(
            name,
            figure,
            most,
            "share of frauds",
            f"of {len(rise.before):,} frauds whose amount was raised threefold a share of {candidate:.3f} looks less "
            f"suspicious{interval(figure, 3)}; {most:.3f} may",
        )

    def _unknown_fields(self, name: str) -> Check:
        if not any(field in self._rows.feature_names for field in _OPTIONAL) or not len(self._genuine):
            sentence = "no feature of a field that may be unknown, or no genuine row"
            return Check(name=name, verdict="pass", figure=None, unit="share of genuine rows", sentence=sentence)
        champion, candidate = (
            self._new_declines(model, thresholds)
            for model, thresholds in (
                (self._champion, self._rows.champion_thresholds),
                (self._candidate, self._rows.candidate_thresholds),
            )
        )
        figure = _share(candidate, len(self._genuine))
        most = max(self._limits.new_declines, champion)
        return _bounded(
            name,
            figure,
            most,
            "share of genuine rows",
            f"an unknown channel, entry mode, merchant or country alone declines a share of {candidate:.4f} of "
            f"{len(self._genuine):,} genuine rows at the worst{interval(figure)}; {most:.4f} may be",
        )

    def _new_declines(self, model: Scores, thresholds: Thresholds) -> float:
        """Largest share of the genuine rows that an unknown field moves over the decline threshold, or else review."""
        level = np.float32(thresholds.review if thresholds.decline is None else thresholds.decline)
        declined = model.score(self._genuine) >= level
        places = [place for place, name in enumerate(self._rows.feature_names) if name in _OPTIONAL]
        cases = [[place] for place in places] + [places]
        return max(
            float(np.mean(~declined & (model.score(_with(self._genuine, case, unknown)) >= level)))
            for case in cases
            for unknown in _UNKNOWN
        )

    def _extreme_values(self, name: str) -> Check:
        width = self._any.shape[1]
        cases = [(list(range(width)), extreme) for extreme in _EXTREMES]
        cases += [([place], extreme) for place in range(width) for extreme in _EXTREMES]
        cases += [([place], _MINUS) for place, feature in enumerate(self._rows.feature_names) if feature in _NEGATIVE]
        changed = np.concatenate([_with(self._any, places, extreme) for places, extreme in cases])
        strange = int(np.sum(~is_chance(self._candidate.score(changed))))
        return Check(
            name=name,
            verdict="fail" if strange else "pass",
            figure=strange / len(changed),
            at_most=0.0,
            unit="share of rows",
            sentence=(
                f"of {len(changed):,} rows with a value of 0, a billion or none, {strange:,} get a score that is no "
                "number from 0 to 1"
            ),
        )


def is_chance(score: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Whether each score is a number from 0 to 1, bool[n]."""
    return np.asarray((score >= 0) & (score <= 1))


def _some(values: Values, random: np.random.Generator) -> Values:
    if len(values) <= _ROWS:
        return values
    return values[np.sort(random.choice(len(values), _ROWS, replace=False))]


def _with(values: Values, places: list[int], value: float) -> Values:
    changed = values.copy()
    changed[:, places] = value
    return changed


def _share(value: float, rows: int) -> Figure:
    """A share of rows with Wilson's interval."""
    whole = rows + Z95**2
    middle = (value * rows + Z95**2 / 2) / whole
    reach = Z95 * math.sqrt(rows * value * (1 - value) + Z95**2 / 4) / whole
    return Figure(value, max(middle - reach, 0.0), min(middle + reach, 1.0))


def _bounded(name: str, figure: Figure, most: float, unit: str, sentence: str) -> Check:
    return Check.of(
        name,
        unharmed(figure, at_most=most),
        figure,
        at_most=most,
        unit=unit,
        sentence=sentence,
    )
