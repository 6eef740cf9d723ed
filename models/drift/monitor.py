"""All drift tests of one model version: days come in as they close and as their labels mature, findings come out."""

from collections import deque
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Final

import numpy as np

from models.drift.concept import Change, ConceptDrift, scaled_losses
from models.drift.day_counts import ClusterMemory, miss_counts, population_counts
from models.drift.estimate import EstimateTest
from models.drift.misses import LOOK_BACK_DAYS, TOTAL, WINDOWS_DAYS, MissFinding, MissTest
from models.drift.population import WINDOW_DAYS, PopulationFinding, PopulationTest
from models.drift.ranking_counts import RankingCounts, score_levels
from models.drift.reference import DriftReference
from models.drift.words import (
    LATENCY,
    PERFORMANCE,
    change_sentence,
    estimate_sentence,
    latency_sentence,
    misses_sentence,
    population_sentence,
    where,
)
from models.metrics.scored_rows import ScoredRows
from models.schema.drift_event import DriftKind, Evidence
from models.schema.topics import DAY_MS

RECOVERY_MARGIN: Final = 0.02
"""Of average precision: the margin within which the gate takes a model for no worse."""
QUIET_DAYS: Final = 7
"""A warning about the same thing is given again only after it was quiet for so long."""
LATENCY_QUANTILE: Final = 0.99
LARGEST_LATENCY_MS: Final = 1000.0
"""An authorisation that waits longer has been decided without the score; no reference tells this, only its use does."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person should know; see `DriftEvent`."""

    kind: DriftKind
    feature: str
    since: int
    window_days: int
    summary: str
    evidence: list[Evidence]


class ModelMonitor:
    """Follows one model version.

    Parameters
    ----------
    reference: what it was used to.
    """

    def __init__(self, reference: DriftReference) -> None:
        self.reference = reference
        self.population = PopulationTest(reference.population)
        self.estimate = EstimateTest(reference.estimate, reference.calibration)
        self._misses = MissTest(reference.misses)
        self._concept = ConceptDrift(reference.losses)
        self._rankings: deque[RankingCounts] = deque(maxlen=LOOK_BACK_DAYS)
        self._warned: dict[tuple[DriftKind, int], int] = {}
        self._slips = False
        self._memory = ClusterMemory()

    def arrived(self, day: int, rows: ScoredRows) -> list[Finding]:
        """Take all rows of an event day; return warnings, one for each kind of thing that is newly beyond its limit."""
        findings = self.population.observe(day, population_counts(self.reference.bins, rows))
        new = [one for one in findings if self._is_news(day, one.kind, one.column)]
        kinds = dict.fromkeys(one.kind for one in new)
        found = [self._population_finding(day, [one for one in new if one.kind == kind]) for kind in kinds]
        others = (self._estimate_finding(day, rows), _latency_finding(day, rows))
        return [*found, *(one for one in others if one is not None and self._is_news(day, one.kind, 0))]

    def _is_news(self, day: int, kind: DriftKind, column: int) -> bool:
        """Take note of a finding; return whether it was quiet for long enough before."""
        before = self._warned.get((kind, column), day - QUIET_DAYS)
        self._warned[kind, column] = day
        return day - before >= QUIET_DAYS

    def matured(self, day: int, known: ScoredRows) -> Finding | None:
        """Take the rows of an event day whose labels are known, in their order; return a confirmed fall, or None.

        A fall is more misses than the budget of false alarms allows, or a rise of the losses (ADWIN) that the misses of
        all rows together confirm. Average precision is no part of it: it rises with the share of fraud, also of fraud
        that the model misses.
        """
        self._rankings.append(RankingCounts.of(known))
        change = self._concept.observe(scaled_losses(known.is_fraud, known.score))
        found = self._misses.observe(miss_counts(self.reference.bins, known, self._memory))
        self._slips = bool(found)
        if found:
            return self._miss_finding(day, found)
        if change is not None and self._memory.is_full:
            window = max(WINDOWS_DAYS, key=self._misses.total_excess)
            if self._misses.total_excess(window) >= self.reference.confirming_limit:
                return self._change_finding(day, change, window)
        return None

    def average_precision(self, days: int) -> float | None:
        """Average precision over the last matured days; None without a fraud in them."""
        last = list(self._rankings)[-days:]
        return reduce(add, last).average_precision if last else None

    @property
    def recovered(self) -> bool:
        """Whether the model is back where it was.

        A week of matured average precision is within the margin of the reference's weakest week, and misses are as
        usual.
        """
        now = self.average_precision(WINDOW_DAYS)
        back = now is not None and now >= min(self.reference.weekly_average_precision) - RECOVERY_MARGIN
        return back and not self._slips and self._misses.total_excess(WINDOW_DAYS) < self.reference.confirming_limit

    def _miss_finding(self, day: int, found: list[MissFinding]) -> Finding:
        columns, first = self.reference.bins.columns, found[0]
        evidence = [
            Evidence(
                feature=PERFORMANCE if one.column == TOTAL else columns[one.column].name,
                where="all transactions" if one.column == TOTAL else where(columns[one.column], one.cell),
                expected=one.expected,
                observed=one.observed,
                unit=f"misses in {one.window_days} days",
                statistic=one.statistic,
                limit=self.reference.misses.limit,
            )
            for one in found
        ]
        return Finding(
            kind="performance",
            feature=evidence[0].feature,
            since=(day - first.since_days + 1) * DAY_MS,
            window_days=first.window_days,
            summary=misses_sentence(found, columns, day),
            evidence=[*evidence, self._ranking_evidence(first.window_days)],
        )

    def _change_finding(self, day: int, change: Change, window: int) -> Finding:
        since = (day - window + 1) * DAY_MS
        excess = self._misses.total_excess(window)
        losses = Evidence(
            PERFORMANCE,
            "mean scaled loss",
            change.before,
            change.after,
            "loss",
            excess,
            self.reference.confirming_limit,
        )
        evidence = [losses, self._ranking_evidence(window)]
        return Finding("concept", PERFORMANCE, since, window, change_sentence(change, since), evidence)

    def _ranking_evidence(self, days: int) -> Evidence:
        now, usual = self.average_precision(days) or 0.0, self.reference.average_precision
        return Evidence(PERFORMANCE, "average precision", usual, now, "0 to 1", usual - now, 0.0)

    def _estimate_finding(self, day: int, rows: ScoredRows) -> Finding | None:
        estimate = self.estimate.observe(score_levels(rows.score))
        if estimate is None:
            return None
        usual, limit = self.reference.estimate.average_precision, self.reference.estimate.limit
        evidence = Evidence(
            PERFORMANCE, "average precision, estimated", usual, estimate, "0 to 1", usual - estimate, usual - limit
        )
        since = (day - WINDOW_DAYS + 1) * DAY_MS
        return Finding("estimate", PERFORMANCE, since, WINDOW_DAYS, estimate_sentence(estimate, usual), [evidence])

    def _population_finding(self, day: int, found: list[PopulationFinding]) -> Finding:
        columns, first = self.reference.bins.columns, found[0]
        window = WINDOW_DAYS if first.kind in {"population", "score"} else 1
        return Finding(
            kind=first.kind,
            feature="volume" if first.column < 0 else columns[first.column].name,
            since=(day - window + 1) * DAY_MS,
            window_days=window,
            summary=population_sentence(found, columns),
            evidence=[
                Evidence(
                    feature="volume" if one.column < 0 else columns[one.column].name,
                    where="all transactions" if one.column < 0 else where(columns[one.column], one.cell),
                    expected=one.expected,
                    observed=one.observed,
                    unit="rows in a day" if one.kind in {"volume", "category"} else "share",
                    statistic=one.statistic,
                    limit=one.limit,
                )
                for one in found
            ],
        )


def _latency_finding(day: int, rows: ScoredRows) -> Finding | None:
    """Say when scoring was slow; days that are replayed without a clock have no latency."""
    known = rows.latency_ms[np.isfinite(rows.latency_ms)]
    if not len(known):
        return None
    half, most = (float(value) for value in np.quantile(known, (0.5, LATENCY_QUANTILE)))
    if most <= LARGEST_LATENCY_MS:
        return None
    evidence = Evidence(
        LATENCY, f"{LATENCY_QUANTILE:.0%} of the transactions", LARGEST_LATENCY_MS, most, "ms", most, LARGEST_LATENCY_MS
    )
    return Finding("latency", LATENCY, day * DAY_MS, 1, latency_sentence(half, most), [evidence])
