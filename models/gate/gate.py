"""The gate: all checks of one candidate, and the verdict."""

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from models.gate.average_precision import (
    PairedRanking,
    PrecisionDifference,
    check_average_precision,
    deciding_rows,
)
from models.gate.behaviour import Behaviour, is_chance
from models.gate.calibration import check_calibration
from models.gate.card_precision import check_card_precision
from models.gate.check import Check, overall
from models.gate.decisions import check_equal_alerts, check_expected_alerts, decide
from models.gate.gate_rows import GateRows, Scores
from models.gate.latency import check_latency
from models.gate.limits import GateError, GateLimits
from models.gate.report import GateReport
from models.gate.resamples import CardResamples
from models.gate.segments import check_segments
from models.metrics.pairing import Pairing, pair
from models.schema.retrain_request import RetrainCause

_INCIDENT: Final = ("drift", "drift follow-up")


class Gate:
    """Judges whether a candidate is better than the champion.

    Parameters
    ----------
    limits: what is asked for.
    seed: of draws and choices.
    clock: gives seconds; for the latency alone.
    """

    def __init__(
        self, limits: GateLimits | None = None, seed: int = 1, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._limits = GateLimits() if limits is None else limits
        self._seed, self._clock = seed, clock

    def judge(self, rows: GateRows, champion: Scores, candidate: Scores, cause: RetrainCause) -> GateReport:
        """Make all checks; the incident's rules hold where the rows name its change.

        Parameters
        ----------
        rows: with the scores of the fits that have not seen them.
        champion, candidate: models that score changed rows and are timed; they need not be the fits that scored `rows`.
        cause: why the candidate was trained.

        Raises
        ------
        GateError: an incident's candidate without the time of the change.
        """
        if cause in _INCIDENT and rows.changed_at is None:
            raise GateError(f"a candidate for {cause} is judged on rows since the change: give its time in changed_at")
        scores = _check_scores(rows)
        if scores.verdict == "fail":
            # Nothing can be measured of what is no score.
            return self._report(rows, cause, [scores], None, None)
        limits = self._limits
        resamples = CardResamples(rows.card, limits.resamples, self._seed)
        ranking = PairedRanking(rows, resamples)
        deciding = ranking.difference(deciding_rows(rows))
        proofs = check_average_precision(rows, ranking, deciding, limits)
        # After a change the candidate serves the world as it is now: on old rows it was right to judge otherwise.
        served = rows if rows.changed_at is None else rows.take(deciding_rows(rows))
        if not len(served):
            return self._report(rows, cause, [scores, *proofs], deciding, _pairing(rows))
        if served is not rows:
            resamples = CardResamples(served.card, limits.resamples, self._seed)
            ranking = PairedRanking(served, resamples)
        checks = [
            scores,
            *proofs,
            check_card_precision(served, limits),
            *check_calibration(served, resamples, limits),
            *check_segments(served, ranking, limits),
            *check_equal_alerts(served, resamples, limits),
            check_expected_alerts(served, resamples, limits),
            check_latency(served, champion, candidate, limits, self._clock),
            *Behaviour(served, champion, candidate, limits, self._seed).checks(),
        ]
        return self._report(rows, cause, checks, deciding, _pairing(served))

    def _report(
        self,
        rows: GateRows,
        cause: RetrainCause,
        checks: list[Check],
        deciding: PrecisionDifference | None,
        pairing: Pairing | None,
    ) -> GateReport:
        return GateReport(
            verdict=overall(checks),
            cause=cause,
            changed_at=rows.changed_at,
            rows=len(rows),
            frauds=int(rows.is_fraud.sum()),
            deciding_frauds=int(np.sum(rows.is_fraud & deciding_rows(rows))),
            from_event_time=int(rows.event_time.min()),
            to_event_time=int(rows.event_time.max()),
            standard_error=None if deciding is None else deciding.difference.standard_error,
            smallest_detectable_difference=None if deciding is None else deciding.smallest_detectable,
            checks=checks,
            expected_pairing=pairing,
            seed=self._seed,
            resamples=self._limits.resamples,
        )


def _check_scores(rows: GateRows) -> Check:
    """Judge whether the candidate's scores are scores at all: numbers from 0 to 1, and not the same for every row."""
    strange = int(np.sum(~is_chance(rows.candidate)))
    constant = not strange and len(rows) > 1 and bool(np.all(rows.candidate == rows.candidate[0]))
    sentence = f"{strange:,} of {len(rows):,} scores of the candidate are no numbers from 0 to 1"
    return Check(
        name="scores",
        verdict="fail" if strange or constant else "pass",
        figure=strange / len(rows),
        at_most=0.0,
        unit="share of rows",
        sentence=f"the candidate scores every row as {rows.candidate[0]:g}" if constant else sentence,
    )


def _pairing(rows: GateRows) -> Pairing:
    return pair(
        rows.champion,
        rows.candidate,
        decide(rows.champion, rows.champion_thresholds),
        decide(rows.candidate, rows.candidate_thresholds),
        rows.amount_minor,
    )
