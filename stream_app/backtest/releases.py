"""The release policy in event time: what scores beside the champion, who decides, and when a model goes on or back."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final, assert_never

import msgspec
import numpy as np

from models.release.actions import Action, Announce, Outcome, Place, PointChallenger, Promote, RollBack, Verify
from models.release.guardrails import Guardrails
from models.release.limits import Limits
from models.release.matured import MaturedRows, compare_matured
from models.release.pairs import Pairs
from models.release.placement import Placement
from models.release.plan import HOUR_MS, ReleasePlan
from models.release.release import ReleaseError, ReleasePolicy
from models.release.state import Candidate, ChampionMove, Observation, ReleaseState
from models.schema.columns import TransactionColumns
from models.schema.model_event import ModelEvent
from models.scorer import LoadedModel
from stream_app.backtest.champion import Champion

_CHUNK_MS: Final = HOUR_MS


class BacktestReleases:
    """Carries out at once what the policy decides; the clock is that of the transactions.

    Parameters
    ----------
    first: the model that serves from the start.
    plan: how long stages last.
    report: told what happens.
    """

    def __init__(self, first: Champion, plan: ReleasePlan, report: Callable[[str], None]) -> None:
        self.models = {first.model.version: first}
        self.champion = first
        self.events: list[ModelEvent] = []
        self._policy = ReleasePolicy(plan)
        self._plan = plan
        self._report = report
        self._placement = Placement()
        self._pairs: list[Pairs] = []
        self._batches = 0
        move = ChampionMove(
            version=first.model.version, before=None, sequence=1, rolled_back=False, actor="backtest", reason="first"
        )
        self._state = self._carry_out(self._policy.moved(ReleaseState(), move))

    @property
    def state(self) -> ReleaseState:
        """Where the release stands."""
        return self._state

    def offer(self, candidate: Champion, offered: Candidate) -> str | None:
        """Begin the release of a candidate that passed the gate; return why not, if not."""
        self.models[candidate.model.version] = candidate
        try:
            state = self._policy.offer(self._state, offered)
        except ReleaseError as error:
            return str(error)
        self._pairs = []
        self._state = self._carry_out(self._policy.begin(state))
        return None

    def parts(self, rows: slice, event_time: np.ndarray) -> list[slice]:
        """Cut rows where a stage could end: by the hour while a candidate is on its way, else not at all."""
        if self._state.stage not in {"shadow", "canary"}:
            return [rows]
        hours = event_time[rows] // _CHUNK_MS
        cuts = [rows.start, *(rows.start + np.flatnonzero(np.diff(hours)) + 1).tolist(), rows.stop]
        return [slice(start, stop) for start, stop in pairwise(cuts) if start < stop]

    def canary(self) -> LoadedModel | None:
        """Return the model that decides for some of the cards."""
        version = self._placement.canary
        return None if version is None else self.models[version].model

    def on_canary(self, cards: np.ndarray) -> np.ndarray:
        """Return for which cards the canary decides, bool[n]."""
        return self._placement.on_canary([str(card) for card in cards.tolist()])

    def compared(self) -> tuple[LoadedModel, LoadedModel] | None:
        """Return the model that is tried or watched and the one it is compared with."""
        state = self._state
        if not state.compares or state.version is None or state.baseline is None:
            return None
        return self.models[state.version].model, self.models[state.baseline].model

    def observe(
        self, columns: TransactionColumns, score: np.ndarray, baseline_score: np.ndarray, canary: np.ndarray
    ) -> None:
        """Judge rows that both compared models have scored; their columns, scores, and which a canary decided."""
        compared, before = self.compared(), self._state
        if compared is None or not len(score):
            return
        model, baseline = compared
        n = len(score)
        self._pairs.append(
            Pairs(
                score=score,
                baseline_score=baseline_score,
                decision=model.decide(score),
                baseline_decision=baseline.decide(baseline_score),
                amount=columns.amount,
                card=columns.card,
                event_time=columns.event_time,
                canary=canary,
                us=np.full(n, np.nan, np.float32),
                baseline_us=np.full(n, np.nan, np.float32),
                batch=np.full(n, self._batches),
            )
        )
        self._batches += 1
        pairs = Pairs.concat(self._pairs)
        if before.stage == "watch":
            pairs = pairs.take(slice(max(0, len(pairs) - self._plan.window_rows), len(pairs)))
            self._pairs = [pairs]
        first = np.flatnonzero(pairs.canary)
        assert before.version is not None
        assert before.baseline is not None
        seen = Observation(
            version=before.version,
            baseline=before.baseline,
            rows=len(pairs),
            unpaired=0,
            since=int(pairs.event_time[0]),
            as_of=int(pairs.event_time[-1]),
            canary_rows=len(pairs) - int(first[0]) if len(first) else 0,
            canary_since=int(pairs.event_time[first[0]]) if len(first) else None,
            checks=Guardrails(Limits.expecting(before.expected)).examine(pairs),
        )
        self._state = self._carry_out(self._policy.observe(self._state, seen))
        if self._state.stage != before.stage and self._state.stage not in {"shadow", "canary"}:
            self._pairs = []

    def pass_time(self, as_of: int) -> None:
        """End what has lasted long enough."""
        self._state = self._carry_out(self._policy.pass_time(self._state, as_of))

    def mature(self, rows: MaturedRows) -> None:
        """Judge labels of rows that the champion and the model before it have scored."""
        state = self._state
        if state.stage in {"watch", "maturing"} and state.version is not None and state.baseline is not None:
            verdict = compare_matured(rows)
            self._state = self._carry_out(self._policy.mature(state, verdict, state.version, state.baseline))

    def _carry_out(self, state: ReleaseState) -> ReleaseState:
        while (action := self._policy.next(state)) is not None:
            state = self._policy.done(state, self._do(action, state))
        return state

    def _do(self, action: Action, state: ReleaseState) -> Outcome:
        match action:
            case Place():
                self._placement = msgspec.structs.replace(action.placement, sequence=self._placement.sequence + 1)
                return Outcome()
            case Promote():
                self.champion = self.models[action.version]
                return Outcome(sequence=state.champion_sequence + 1)
            case RollBack():
                self.champion = self.models[action.to]
                return Outcome(sequence=state.champion_sequence + 1)
            case Announce():
                self.events.append(action.event)
                self._report(f"{action.event.version} {action.event.kind}: {action.event.cause}")
                return Outcome()
            case PointChallenger() | Verify():
                return Outcome()
            case _:
                assert_never(action)
