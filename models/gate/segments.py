"""Whether a part of the work gets worse: channel, entry mode, merchant, amount, home or abroad."""

from collections.abc import Iterator
from statistics import NormalDist
from typing import Final

import numpy as np

from models.gate.average_precision import PairedRanking, PrecisionDifference
from models.gate.check import Check, interval, unharmed
from models.gate.gate_rows import GateRows
from models.gate.limits import GateLimits
from models.metrics.scored_rows import ScoredRows
from models.metrics.segments import Segment, segments

_CHANCE: Final = 0.05
_CODES: Final = ("channel", "entry_mode", "merchant_group", "country")


def check_segments(rows: GateRows, ranking: PairedRanking, limits: GateLimits) -> list[Check]:
    """Judge each group that holds enough frauds, one check each; intervals are wider the more groups there are.

    The interval of one group holds the truth in 1 - .05 / groups of the cases (Bonferroni), so that all of them
    together hold it in 95 %. Groups of different segments share rows, which makes this rather too wide than too narrow.
    """
    judged: list[tuple[Segment, PrecisionDifference]] = []
    for segment in _groups(rows):
        found = ranking.difference(segment.rows) if _is_worth_a_look(rows, segment, limits) else None
        if found is not None and found.effective_frauds >= limits.fewest_frauds_in_segment:
            judged.append((segment, found))
    if not judged:
        return [
            Check(
                name="segments",
                verdict="pass",
                figure=None,
                at_least=-limits.loss_in_segment,
                unit="difference in average precision",
                sentence=f"no group holds {limits.fewest_frauds_in_segment} frauds, so none is looked at by itself",
            )
        ]
    quantile = NormalDist().inv_cdf(1 - _CHANCE / 2 / len(judged))
    return [_check(segment, found, quantile, limits.loss_in_segment) for segment, found in judged]


def _check(segment: Segment, found: PrecisionDifference, quantile: float, loss: float) -> Check:
    figure = found.difference.figure(found.clusters, quantile)
    return Check.of(
        f"segment {segment.segment} {segment.group}",
        unharmed(figure, at_least=-loss, harmless=0.0),
        figure,
        at_least=-loss,
        unit="difference in average precision",
        sentence=(
            f"average precision of {segment.segment.replace('_', ' ')} {segment.group} is {found.candidate:.4f} "
            f"against {found.champion:.4f} on {found.frauds:,} frauds: {figure.value:+.4f}{interval(figure)} (wider "
            f"for looking at many groups); {loss:g} may be lost"
        ),
    )


def _is_worth_a_look(rows: GateRows, segment: Segment, limits: GateLimits) -> bool:
    """Whether the group has frauds enough and is a part: a bank without channels has all rows in one group."""
    return not segment.rows.all() and int(np.sum(segment.rows & rows.is_fraud)) >= limits.fewest_frauds_in_segment


def _groups(rows: GateRows) -> Iterator[Segment]:
    """The groups as every other figure knows them; an unknown code is code 0."""
    columns = [name for name in _CODES if name in rows.feature_names]
    places = [list(rows.feature_names).index(name) for name in columns]
    n = len(rows)
    plain = ScoredRows(
        event_time=rows.event_time,
        transaction=np.zeros(n, np.uint64),
        card=rows.card,
        terminal=np.zeros(n, np.uint64),
        amount_minor=rows.amount_minor,
        score=rows.champion,
        decision=np.zeros(n, np.uint8),
        control=np.zeros(n, np.bool_),
        pass_probability=np.ones(n, np.float32),
        values=np.nan_to_num(rows.values[:, places]),
        is_fraud=rows.is_fraud,
        stated_at=rows.event_time,
        label_source=np.zeros(n, np.uint8),
        latency_ms=np.zeros(n, np.float32),
        model_version="",
        as_of=int(rows.event_time.max()),
    )
    return segments(plain, columns)
