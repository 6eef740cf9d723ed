"""Guardrails: a model held against another on the same transactions, before any label can exist."""

import math
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from models.metrics.pairing import Pairing, pair
from models.metrics.scored_rows import APPROVE
from models.release.chance import Z, correlation_above, log_ratio, share_below, share_bounds
from models.release.limits import Limits
from models.release.pairs import Pairs
from models.schema.model_event import Check, CheckName, Verdict

WIDE_SHARE: Final = 0.05
"""The wider top: fifty rows of a thousand, where the top .5 % has five."""
TOP_SHARE: Final = 0.005
ALERTS_Z: Final = 2.5
"""Alerts are so few that three deviations would ask for half as many rows again; honest models are further away."""

_FEWEST_ROWS: Final = 200
_FEWEST_TOP: Final = 20
"""Rows of a top, or alerts, without which its check says nothing."""
_FEWEST_MISSING: Final = 5
_FEWEST_BATCHES: Final = 5


class Guardrails:
    """Ten checks of a model against a baseline.

    Parameters
    ----------
    limits: what each figure must not pass.

    Examples
    --------
    >>> from models.release.pairs import Pairs
    >>> {check.verdict for check in Guardrails(Limits()).examine(Pairs.none())}
    {'not enough yet'}
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def examine(self, pairs: Pairs) -> tuple[Check, ...]:
        """Return every check over all rows given."""
        complete = pairs.take(pairs.complete)
        return (
            self._missing(pairs),
            self._constant(complete),
            *self._agreement(complete),
            self._latency(pairs),
        )

    def _missing(self, pairs: Pairs) -> Check:
        rows = len(pairs)
        missing = int(np.sum(~np.isfinite(pairs.score)))
        least = missing - Z * math.sqrt(missing)
        verdict = _verdict(missing >= _FEWEST_MISSING and least > self._limits.missing * rows, rows >= _FEWEST_ROWS)
        sentence = f"no score for {missing:,} of {rows:,} rows; at most {self._limits.missing:.1%} may lack one"
        return _check("missing output", missing / rows if rows else None, self._limits.missing, verdict, sentence, rows)

    def _constant(self, pairs: Pairs) -> Check:
        rows = len(pairs)
        if not rows:
            return _nothing_yet("constant output", self._limits.same_score)
        limit = max(self._limits.same_score, 1 - (1 - _commonest(pairs.baseline_score) / rows) / 10)
        same = _commonest(pairs.score)
        broken = share_bounds(same, rows)[0] > limit
        sentence = f"{same / rows:.1%} of {rows:,} rows have the same score; at most {limit:.1%} may"
        return _check("constant output", same / rows, limit, _verdict(broken, rows >= _FEWEST_ROWS), sentence, rows)

    def _agreement(self, pairs: Pairs) -> Iterable[Check]:
        limits, rows = self._limits, len(pairs)
        if not rows:
            yield from (_nothing_yet(name, None) for name in _AGREEMENT)
            return
        found = _paired(pairs)
        _, card = np.unique(pairs.card, return_inverse=True)
        yield _correlation("rank correlation", found.rank_correlation, limits.rank_correlation, rows, rows)
        yield self._top_correlation(pairs)
        narrow = round(TOP_SHARE * rows)
        yield _overlap("overlap of the top .5 %", found.top_overlap, limits.top_overlap, narrow, rows)
        first, second = _top(pairs.baseline_score), _top(pairs.score)
        common = float(np.sum(first & second)) / max(1, int(first.sum()))
        yield _overlap("overlap of the top 5 %", common, limits.wide_overlap, int(first.sum()), rows)
        alerts, baseline_alerts = pairs.decision != APPROVE, pairs.baseline_decision != APPROVE
        flipped = (alerts != baseline_alerts).astype(np.float64)
        limit = limits.flipped + limits.flipped_per_alert * found.champion_alert_rate
        yield _flips("flipped decisions", flipped, np.ones(rows), card, limit, "rows")
        amount = pairs.amount.astype(np.float64)
        yield _flips("flipped value", flipped * amount, amount, card, limits.flipped_value, "the amount")
        yield self._alerts(alerts, baseline_alerts, card)

    def _top_correlation(self, pairs: Pairs) -> Check:
        chosen = pairs.take(_top(pairs.score) | _top(pairs.baseline_score))
        rows = len(chosen)
        figure = _paired(chosen).rank_correlation
        return _correlation(
            "rank correlation at the top", figure, self._limits.top_rank_correlation, rows, 2 * _FEWEST_TOP
        )

    def _alerts(
        self, alerts: npt.NDArray[np.bool_], baseline: npt.NDArray[np.bool_], card: npt.NDArray[np.intp]
    ) -> Check:
        limits, rows = self._limits, len(alerts)
        count, others = int(alerts.sum()), int(baseline.sum())
        ratio, error = log_ratio(alerts, baseline, card)
        share, least = share_below(alerts.astype(np.float64), np.ones(rows), card)
        many = ratio - ALERTS_Z * error > math.log(limits.most_alerts) and least > limits.most_share
        few = ratio + ALERTS_Z * error < math.log(limits.fewest_alerts) and 2 * share - least < limits.fewest_share
        limit = limits.most_alerts if ratio > 0 else limits.fewest_alerts
        verdict = _verdict(many or few, count + others >= _FEWEST_TOP)
        sentence = (
            f"{count:,} alerts where the other model has {others:,} on {rows:,} rows; "
            f"{limits.fewest_alerts:.2f} to {limits.most_alerts:.2f} for each of them are usual"
        )
        if limits.most_share:
            sentence += f", or {limits.fewest_share:.2%} to {limits.most_share:.2%} of the rows"
        return _check("alert rate", math.exp(ratio), limit, verdict, sentence, rows)

    def _latency(self, pairs: Pairs) -> Check:
        timed = np.isfinite(pairs.us) & np.isfinite(pairs.baseline_us)
        rows, limits = int(timed.sum()), self._limits
        if not rows:
            return _nothing_yet("latency", limits.slow_ratio)
        # Of the rows, not of the batches: a large batch is a better measurement than one of a single row.
        us, baseline_us = float(np.median(pairs.us[timed])), float(np.median(pairs.baseline_us[timed]))
        batches = len(np.unique(pairs.batch[timed]))
        enough = rows >= _FEWEST_ROWS and batches >= _FEWEST_BATCHES
        broken = enough and us > limits.slow_us and us > limits.slow_ratio * baseline_us
        sentence = (
            f"{us:,.0f} us a row where the other model takes {baseline_us:,.0f}; slow is above {limits.slow_us:,.0f} "
            f"us and {limits.slow_ratio:g} times the other"
        )
        ratio = us / baseline_us if baseline_us else None
        return _check("latency", ratio, limits.slow_ratio, _verdict(broken, enough), sentence, rows)


_AGREEMENT: Final[tuple[CheckName, ...]] = (
    "rank correlation",
    "rank correlation at the top",
    "overlap of the top .5 %",
    "overlap of the top 5 %",
    "flipped decisions",
    "flipped value",
    "alert rate",
)


def _correlation(name: CheckName, figure: float | None, limit: float, rows: int, enough: int) -> Check:
    if figure is None:
        return _nothing_yet(name, limit)
    broken = rows >= _FEWEST_TOP and correlation_above(figure, rows) < limit
    verdict = _verdict(broken, rows >= min(enough, _FEWEST_ROWS) and rows >= 2 * _FEWEST_TOP)
    sentence = f"scores of {rows:,} rows are ranked alike by {figure:.2f}; at least {limit:.2f} is usual"
    return _check(name, figure, limit, verdict, sentence, rows)


def _overlap(name: CheckName, figure: float, limit: float, places: int, rows: int) -> Check:
    enough = places >= _FEWEST_TOP
    broken = enough and share_bounds(figure * places, places)[1] < limit
    sentence = f"{figure:.0%} of the other model's {places:,} highest rows are this one's too; {limit:.0%} must be"
    return _check(name, figure, limit, _verdict(broken, enough), sentence, rows)


def _flips(
    name: CheckName,
    part: npt.NDArray[np.floating],
    whole: npt.NDArray[np.floating],
    card: npt.NDArray[np.intp],
    limit: float,
    what: str,
) -> Check:
    rows, flips = len(part), int(np.count_nonzero(part))
    figure, least = share_below(part, whole, card)
    broken = flips >= _FEWEST_TOP and least > limit
    sentence = f"{figure:.2%} of {what} of {rows:,} rows is decided otherwise; at most {limit:.2%} may be"
    return _check(name, figure, limit, _verdict(broken, rows >= _FEWEST_ROWS), sentence, rows)


def _check(
    name: CheckName, figure: float | None, limit: float | None, verdict: Verdict, sentence: str, rows: int
) -> Check:
    return Check(name=name, figure=figure, limit=limit, verdict=verdict, sentence=sentence, rows=rows)


def _nothing_yet(name: CheckName, limit: float | None) -> Check:
    return _check(name, None, limit, "not enough yet", "no rows that tell yet", 0)


def _verdict(broken: bool, enough: bool) -> Verdict:  # noqa: FBT001  a verdict is made of two answers
    if broken:
        return "broken"
    return "ok" if enough else "not enough yet"


def _paired(pairs: Pairs) -> Pairing:
    return pair(pairs.baseline_score, pairs.score, pairs.baseline_decision, pairs.decision, pairs.amount)


def _commonest(scores: npt.NDArray[np.float32]) -> int:
    return int(np.unique(scores, return_counts=True)[1].max())


def _top(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """The top 5 %, bool[n]: of rows tied at its end the earlier ones."""
    chosen = np.zeros(len(scores), np.bool_)
    chosen[np.argsort(-scores, kind="stable")[: max(1, round(WIDE_SHARE * len(scores)))]] = True
    return chosen
