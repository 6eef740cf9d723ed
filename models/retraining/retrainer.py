"""One retrain: choose a recipe, hold it against the champion, and fit what is released when it is better."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from models.bundle import Bundle
from models.gate.gate import Gate
from models.gate.gate_rows import GateRows
from models.gate.report import GateReport
from models.manifest import Figures, Thresholds
from models.metrics.ranking import auc, average_precision
from models.retraining.choice import Choice, choose
from models.retraining.cross_fit import CrossFit, cross_fit
from models.retraining.disowned import disowned
from models.retraining.evidence import Evidence
from models.retraining.plan import RetrainPlan
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from models.scorer import LoadedModel
from models.signing import SigningKey
from models.training import Judged, Provenance, Recipe, fit_released
from models.training_rows import TrainingError, TrainingRows

Report = Callable[[str], None]

_FEWEST_ALERTS: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Retrained:
    """What came of a request.

    Attributes
    ----------
    choice: the recipe, and why.
    gate: the report on the recipe.
    bundle: what is to be released; None unless the gate let it pass.
    """

    choice: Choice
    gate: GateReport
    bundle: Bundle | None


class Retrainer:
    """Makes the three fits; the same request, rows and champion give the same model.

    Parameters
    ----------
    plan: what is tried.
    gate: judges.
    """

    def __init__(self, plan: RetrainPlan | None = None, gate: Gate | None = None) -> None:
        self.plan = plan or RetrainPlan()
        self._gate = gate or Gate(seed=self.plan.seed)

    def retrain(
        self,
        request: RetrainRequest,
        evidence: Evidence,
        champion: LoadedModel,
        maturity_ms: int,
        provenance: Provenance,
        key: SigningKey,
        report: Report,
    ) -> Retrained:
        """Return the recipe, the verdict, and the bundle of what passed.

        Parameters
        ----------
        evidence: rows that are mature at the request.
        champion: what it is held against.
        maturity_ms: age at which labels count as complete.
        provenance: goes into the manifest.
        key: signs.
        report: told what is done.

        Raises
        ------
        TrainingError, GateError, FamilyError: the rows do not suffice.
        """
        plan, rows = self.plan, evidence.rows
        wrong = None if request.changed_at is None else disowned(rows, request.changed_at, plan.seed)
        choice = choose(rows, request.changed_at, plan, report, wrong)
        report(f"recipe: {choice.recipe.title}; {choice.reason}")
        latest = int(rows.event_time.max()) + 1 if request.changed_at is None else request.changed_at
        held = evidence.champion_scores(champion, request.changed_at, latest - plan.gate_days * DAY_MS)
        judged = np.isfinite(held)
        if wrong is not None:
            # What was genuine and would be fraud today says nothing of how well the old fraud is still found.
            judged &= ~wrong
        if not judged.any():
            raise TrainingError(f"no mature row is younger than what {champion.version} was fitted on; wait a day")
        fitted = cross_fit(rows, choice.recipe, judged, request.changed_at, plan, report)
        gated = self._rows(evidence, held, fitted, judged, champion, request.changed_at)
        verdict = self._gate.judge(gated, champion, fitted.one_side, request.cause)
        report(f"gate: {verdict.verdict}; {'; '.join(verdict.reasons) or 'every check passed'}")
        if verdict.verdict != "pass":
            return Retrained(choice, verdict, None)
        recipe = Recipe(
            choice.recipe.family,
            choice.recipe.parameters,
            plan.seed,
            gap_ms=maturity_ms,
            most_genuine=plan.genuine_to_fit,
        )
        shown = Judged(
            gated.candidate_thresholds,
            {"gate": _figures(gated, choice)},
            msgspec.to_builtins(choice),
            msgspec.to_builtins(verdict.without_times()),
        )
        weighed = choice.recipe.weigh(rows, request.changed_at, wrong)
        bundle = fit_released(weighed, recipe, shown, provenance, key, report=report)
        return Retrained(choice, verdict, bundle)

    def _rows(
        self,
        evidence: Evidence,
        held: np.ndarray,
        fitted: CrossFit,
        judged: np.ndarray,
        champion: LoadedModel,
        changed_at: int | None,
    ) -> GateRows:
        rows = evidence.rows.take(judged)
        candidate, champion_scores = fitted.score[judged], held[judged]
        return GateRows(
            values=rows.values,
            is_fraud=rows.is_fraud,
            event_time=rows.event_time,
            card=rows.card.astype(np.uint64),
            amount_minor=evidence.amount_minor[judged],
            champion=champion_scores,
            candidate=candidate,
            champion_thresholds=champion.manifest.thresholds,
            candidate_thresholds=self._thresholds(rows, candidate, champion_scores, champion, changed_at),
            weight=rows.weight,
            changed_at=changed_at,
        )

    def _thresholds(
        self,
        rows: TrainingRows,
        candidate: np.ndarray,
        champion_scores: np.ndarray,
        champion: LoadedModel,
        changed_at: int | None,
    ) -> Thresholds:
        """Choose the candidate's thresholds by the policy, within the room around the champion's alerts.

        After a change on the rows since it, where there are enough: that is the world that it will serve.
        """
        since = np.ones(len(rows), np.bool_) if changed_at is None else rows.event_time >= changed_at
        if since.sum() * self.plan.policy.review_share >= _FEWEST_ALERTS:
            rows, candidate, champion_scores = rows.take(since), candidate[since], champion_scores[since]
        weight, is_fraud = rows.weight, rows.is_fraud
        room, weights = self.plan.alerts_room, np.ones(len(candidate)) if weight is None else weight
        wished = self.plan.policy.thresholds(candidate, is_fraud, 1.0, weights)
        usual = float(weights[champion_scores >= np.float32(champion.manifest.thresholds.review)].sum())
        order = np.argsort(-candidate, kind="stable")
        alerts = np.cumsum(weights[order])
        least, most = (
            float(candidate[order[min(len(order) - 1, int(np.searchsorted(alerts, usual * factor)))]])
            for factor in (1 + room, 1 - room)
        )
        review = float(np.clip(np.float32(wished.review), min(least, most), max(least, most)))
        return Thresholds(review, None if wished.decline is None else max(wished.decline, review))


def _figures(rows: GateRows, choice: Choice) -> Figures:
    alerts = rows.candidate >= np.float32(rows.candidate_thresholds.review)
    return Figures(
        fit=f"{choice.recipe.title}, fitted on two thirds of the cards and judged on the last third, three times; the "
        "released model is fitted on all",
        from_event_time=int(rows.event_time.min()),
        to_event_time=int(rows.event_time.max()),
        rows=len(rows),
        frauds=int(rows.is_fraud.sum()),
        values={
            "auc": auc(rows.is_fraud, rows.candidate),
            "average_precision": average_precision(rows.is_fraud, rows.candidate),
            "champion_average_precision": average_precision(rows.is_fraud, rows.champion),
            "alert_rate": float(alerts.mean()),
            "alert_precision": float(rows.is_fraud[alerts].mean()) if alerts.any() else 0.0,
            "alert_recall": float(alerts[rows.is_fraud].mean()),
        },
    )
