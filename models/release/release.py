"""The policy of a release: from shadow over canary to champion, and back; knows nothing but what it is told."""

from typing import Any, Final

import msgspec

from models.errors import FraudstreamError
from models.release.actions import Action, Announce, Outcome, Place, PointChallenger, Promote, RollBack, Verify
from models.release.placement import Placement
from models.release.plan import HOUR_MS, ReleasePlan
from models.release.state import Candidate, ChampionMove, Observation, ReleaseState
from models.schema.cloud_event import event_id
from models.schema.model_event import Check, ModelEvent, ModelEventKind

ACTOR: Final = "release"
"""Who moves aliases here; a move by anybody else is a person's."""

_replace = msgspec.structs.replace


class ReleaseError(FraudstreamError):
    """Raised for a candidate that cannot be released, and for a freeze that is none."""


class ReleasePolicy:
    """Turns what happens into the next state, whose `pending` says what is to be done for it.

    Every method returns a new state and does nothing else, so the state is written first and carried out then. Whoever
    carries out tells it by `done`, for the first pending action.

    Parameters
    ----------
    plan: how long stages last.

    Examples
    --------
    >>> policy = ReleasePolicy(ReleasePlan())
    >>> state = policy.moved(
    ...     ReleaseState(),
    ...     ChampionMove(version="m-1", before=None, sequence=1, rolled_back=False, actor="ada", reason="first"),
    ... )
    >>> state = policy.offer(_replace(state, pending=()), Candidate(version="m-2"))
    >>> state = policy.begin(state)
    >>> state.stage, [type(action).__name__ for action in state.pending]
    ('shadow', ['PointChallenger', 'Place', 'Announce'])
    """

    def __init__(self, plan: ReleasePlan) -> None:
        self._plan = plan

    def offer(self, state: ReleaseState, candidate: Candidate) -> ReleaseState:
        """Take a candidate that passed the gate; the same one again changes nothing.

        Raises
        ------
        ReleaseError: automatic promotion is frozen, there is no champion, or the candidate is it.
        """
        version = candidate.version
        if candidate == state.offered or (version, candidate.request_id) == state.ended:
            return state
        if state.stage != "idle" and version == state.version:
            return state
        if state.frozen is not None:
            raise ReleaseError(
                f"{version} is not released: promotion is frozen ({state.frozen}); fraudstream models unfreeze lifts it"
            )
        if state.champion is None:
            raise ReleaseError(f"{version} has no champion to be compared with; fraudstream models promote {version}")
        if state.champion == version:
            raise ReleaseError(f"{version} is the champion already")
        if state.offered is not None:
            state = self._unbegun(state, f"{version} is newer")
        return _replace(state, offered=candidate)

    def begin(self, state: ReleaseState) -> ReleaseState:
        """Begin the release of the candidate that was offered, if there is one and nothing else is pending."""
        candidate = state.offered
        if candidate is None or state.pending:
            return state
        if candidate.version == state.champion:
            return _replace(state, offered=None)
        if state.frozen is not None:
            return self._unbegun(state, f"promotion is frozen: {state.frozen}")
        state = self._end(state, f"{candidate.version} is newer") if state.stage != "idle" else state
        number = state.number + 1
        state = _replace(
            state,
            stage="shadow",
            number=number,
            release=event_id("release", number, candidate.version, candidate.request_id),
            version=candidate.version,
            baseline=state.champion,
            request_id=candidate.request_id,
            incident=candidate.incident,
            expected=candidate.expected,
            trace=candidate.trace,
            offered=None,
            **_FRESH,
        )
        cause = f"passed the gate; scores beside {state.baseline} and decides nothing"
        actions = (PointChallenger(candidate.version, cause), Place(self._placed(state, shadow=candidate.version)))
        return self._announce(_then(state, *actions), "shadow started", cause)

    def observe(self, state: ReleaseState, seen: Observation) -> ReleaseState:
        """Judge what the feature log shows of the two models."""
        if not state.compares or state.pending or (seen.version, seen.baseline) != (state.version, state.baseline):
            return state
        state = _replace(state, rows=seen.rows, as_of=max(state.as_of, seen.as_of), checks=seen.checks)
        broken = "; ".join(f"{check.name}: {check.sentence}" for check in seen.checks if check.verdict == "broken")
        if state.stage == "watch":
            return self._watched(state, seen, broken)
        if broken:
            return self._withdraw(state, broken)
        if not seen.rows and seen.unpaired >= self._plan.patience_rows:
            return self._withdraw(state, f"no scorer has loaded it on {seen.unpaired:,} transactions")
        return self._shadowed(state, seen) if state.stage == "shadow" else self._tried(state, seen)

    def mature(self, state: ReleaseState, verdict: Check, version: str, baseline: str) -> ReleaseState:
        """Judge what labels say of the champion and the one before it."""
        if (
            state.pending
            or state.stage not in {"watch", "maturing"}
            or (version, baseline) != (state.version, state.baseline)
        ):
            return state
        if verdict.verdict != "broken":
            return state
        return self._roll_back(_replace(state, checks=(verdict,)), f"{verdict.name}: {verdict.sentence}")

    def pass_time(self, state: ReleaseState, as_of: int) -> ReleaseState:
        """End a watch whose time is over."""
        state = _replace(state, as_of=max(state.as_of, as_of))
        if state.promoted_at is None:
            return state
        passed = state.as_of - state.promoted_at
        if state.stage == "watch" and passed >= self._plan.watch_ms:
            cause = f"no guardrail broke in {self._plan.watch_days:g} event days"
            ended = self._announce(_then(state, Place(Placement())), "watch ended", cause)
            ended = _replace(ended, stage="maturing")
            return ended if passed < self._plan.maturing_ms else _idle(ended)
        return _idle(state) if state.stage == "maturing" and passed >= self._plan.maturing_ms else state

    def moved(self, state: ReleaseState, move: ChampionMove) -> ReleaseState:
        """Follow a champion that somebody else has moved: watch who came, or end the watch of who went."""
        if move.sequence <= state.champion_sequence:
            return state
        cause = f"{move.actor}: {move.reason}"
        kept = state.stage in {"shadow", "canary"} and state.version == move.version and not move.rolled_back
        if state.stage != "idle" and not kept:
            state = self._end(state, f"{move.actor} has moved the champion to {move.version}")
        state = _replace(state, champion=move.version, champion_sequence=move.sequence)
        if move.rolled_back:
            return self._rolled_back_by_hand(state, move, cause)
        state = _replace(state, **_FRESH)
        if not kept:
            number = state.number + 1
            release = event_id("release", number, move.version, None)
            state = _replace(
                state, number=number, release=release, request_id=None, incident=None, expected=None, trace=None
            )
        watched = move.before is not None
        state = _replace(state, version=move.version, baseline=move.before, stage="watch" if watched else "idle")
        state = _then(state, Place(self._placed(state, shadow=move.before)))
        state = self._announce(state, "adopted", cause, actor=move.actor, alias_sequence=move.sequence)
        return self._thawed(state, move.actor, f"{move.actor} has promoted {move.version}") if state.frozen else state

    def unfreeze(self, state: ReleaseState, actor: str, reason: str) -> ReleaseState:
        """Let candidates be promoted again; raises ReleaseError when nothing is frozen."""
        if state.frozen is None:
            raise ReleaseError("automatic promotion is not frozen; nothing is to be lifted")
        return self._thawed(state, actor, reason)

    def next(self, state: ReleaseState) -> Action | None:
        """Return what is to be done first: an event with its number and hash, anything else as it is."""
        if not state.pending:
            return None
        action = state.pending[0]
        if not isinstance(action, Announce):
            return action
        return Announce(_replace(action.event, sequence=state.sequence + 1).sealed(state.last_hash))

    def done(self, state: ReleaseState, outcome: Outcome) -> ReleaseState:
        """Take the first pending action as carried out."""
        action = self.next(state)
        state = _replace(state, pending=state.pending[1:])
        if isinstance(action, Announce):
            return _replace(state, sequence=action.event.sequence, last_hash=action.event.hash)
        if isinstance(action, (Promote, RollBack)):
            if outcome.overtaken is not None:
                return self._overtaken(state, action, outcome.overtaken)
            champion = action.version if isinstance(action, Promote) else action.to
            sequence = action.expected_sequence if outcome.sequence is None else outcome.sequence
            return _numbered(_replace(state, champion=champion, champion_sequence=sequence))
        if isinstance(action, Verify):
            if outcome.failure is not None:
                return self._announce(state, "verification failed", outcome.failure, version=action.version)
            cause = "signature, hashes and golden vectors fit again"
            return self._announce(state, "verified", cause, version=action.version)
        return state

    def _shadowed(self, state: ReleaseState, seen: Observation) -> ReleaseState:
        plan, passed = self._plan, _passed(seen.since, seen.as_of)
        if seen.rows < plan.least_rows:
            return self._unless_late(state, passed, seen.rows)
        if seen.rows < plan.shadow_transactions and passed < plan.shadow_hours * HOUR_MS:
            return state
        state = _replace(state, stage="canary", spent_rows=seen.rows, spent_ms=passed)
        cause = f"no guardrail broke on {seen.rows:,} transactions; decides for {plan.canary_share:.0%} of the cards"
        placed = self._placed(state, canary=state.version)
        return self._announce(_then(state, Place(placed)), "canary started", cause)

    def _tried(self, state: ReleaseState, seen: Observation) -> ReleaseState:
        plan, passed = self._plan, _passed(seen.canary_since, seen.as_of)
        left = (plan.shadow_hours + plan.canary_hours) * HOUR_MS - state.spent_ms
        hours = max(HOUR_MS, min(plan.canary_hours * HOUR_MS, left))
        if not seen.canary_rows and seen.rows >= state.spent_rows + plan.patience_rows:
            return self._withdraw(state, f"decided nothing on {plan.patience_rows:,} transactions as a canary")
        over = seen.canary_rows >= plan.canary_transactions or passed >= hours
        if not seen.canary_rows or not over:
            return state
        cause = f"no guardrail broke on {seen.rows:,} transactions, {seen.canary_rows:,} of them as a canary"
        assert state.version is not None
        promotion = Promote(state.version, cause, state.champion_sequence)
        state = _replace(state, stage="watch", promoted_at=seen.as_of, positions=None)
        state = _then(state, promotion, Place(self._placed(state, shadow=state.baseline)))
        return self._announce(state, "promoted", cause)

    def _watched(self, state: ReleaseState, seen: Observation, broken: str) -> ReleaseState:
        if broken:
            return self._roll_back(state, broken)
        if not seen.rows and seen.unasked == seen.unpaired >= self._plan.patience_rows:
            return self._roll_back(state, f"no scorer has loaded it on {seen.unasked:,} transactions")
        if state.promoted_at is None:
            state = _replace(state, promoted_at=seen.as_of if seen.since is None else seen.since)
        return self.pass_time(state, seen.as_of)

    def _unless_late(self, state: ReleaseState, passed: int, rows: int) -> ReleaseState:
        hours = max(self._plan.patience_hours, self._plan.shadow_hours)
        if passed < hours * HOUR_MS:
            return state
        needed = self._plan.least_rows
        return self._withdraw(state, f"{rows:,} transactions in {hours:g} event hours; {needed:,} needed")

    def _withdraw(self, state: ReleaseState, cause: str) -> ReleaseState:
        ended = self._announce(_then(state, Place(Placement())), "withdrawn", cause)
        return _idle(ended)

    def _end(self, state: ReleaseState, cause: str) -> ReleaseState:
        """End what is under way for something newer, whose placement takes the place of this one's."""
        kind: ModelEventKind = "withdrawn" if state.stage in {"shadow", "canary"} else "watch ended"
        return _idle(state if state.stage == "maturing" else self._announce(state, kind, cause))

    def _roll_back(self, state: ReleaseState, cause: str) -> ReleaseState:
        assert state.version is not None
        assert state.baseline is not None
        bad, good = state.version, state.baseline
        state = _then(state, RollBack(bad, good, cause, state.champion_sequence), Place(Placement()))
        state = self._announce(state, "rolled back", cause, version=good, before=bad)
        return self._freeze(_idle(state), f"{bad} was rolled back: {cause}", good, ACTOR)

    def _rolled_back_by_hand(self, state: ReleaseState, move: ChampionMove, cause: str) -> ReleaseState:
        state = self._announce(
            _then(state, Place(Placement())),
            "rolled back",
            cause,
            version=move.version,
            before=move.before,
            actor=move.actor,
            alias_sequence=move.sequence,
        )
        return self._freeze(_idle(state), f"rolled back by {cause}", move.version, move.actor)

    def _freeze(self, state: ReleaseState, why: str, champion: str, actor: str) -> ReleaseState:
        cause = f"{why}; fraudstream models unfreeze lifts it"
        state = self._announce(state, "frozen", cause, version=champion, before=None, actor=actor)
        return _then(_replace(state, frozen=why), Verify(champion))

    def _thawed(self, state: ReleaseState, actor: str, reason: str) -> ReleaseState:
        thawed = _replace(state, frozen=None)
        return self._announce(thawed, "unfrozen", reason, version=state.champion, before=None, actor=actor)

    def _overtaken(self, state: ReleaseState, action: Promote | RollBack, why: str) -> ReleaseState:
        """Somebody moved the champion first; `moved` will tell who, and what goes on from there."""
        # What else was decided with the move is void; what came to be pending since then is not.
        left = tuple(each for each in state.pending if isinstance(each, Announce) and each.event.kind not in _OF_A_MOVE)
        state = _replace(state, pending=left)
        if isinstance(action, Promote):
            return self._withdraw(state, f"{why}: it was not promoted")
        return _then(_replace(state, frozen=None), Place(Placement()))

    def _unbegun(self, state: ReleaseState, cause: str) -> ReleaseState:
        assert state.offered is not None
        state = self._announce(state, "withdrawn", cause, version=state.offered.version, before=state.champion)
        return _replace(state, offered=None)

    def _placed(self, state: ReleaseState, *, shadow: str | None = None, canary: str | None = None) -> Placement:
        if canary is not None:
            return Placement(canary=canary, canary_share=self._plan.canary_share, salt=state.release)
        return Placement() if shadow is None else Placement(shadow=(shadow,))

    def _announce(self, state: ReleaseState, kind: ModelEventKind, cause: str, **changed: Any) -> ReleaseState:
        """Put an event behind what is pending; it gets its number and hash when its turn comes."""
        about: dict[str, Any] = {"version": state.version, "before": state.baseline, "actor": ACTOR, **changed}
        event = ModelEvent(
            kind=kind,
            cause=cause,
            checks=state.checks,
            as_of=state.as_of,
            release=state.release,
            incident=state.incident,
            request_id=state.request_id,
            sequence=0,
            **about,
        )
        return _then(state, Announce(event))


_FRESH: Final[dict[str, Any]] = {
    "promoted_at": None,
    "spent_rows": 0,
    "spent_ms": 0,
    "rows": 0,
    "checks": (),
    "positions": None,
}
_OF_A_MOVE: Final[frozenset[ModelEventKind]] = frozenset({"promoted", "rolled back", "frozen"})


def _then(state: ReleaseState, *actions: Action) -> ReleaseState:
    return _replace(state, pending=(*state.pending, *actions))


def _idle(state: ReleaseState) -> ReleaseState:
    ended = state.ended if state.version is None else (state.version, state.request_id)
    return _replace(state, stage="idle", ended=ended, **_FRESH)


def _passed(since: int | None, as_of: int) -> int:
    return 0 if since is None else max(0, as_of - since)


def _numbered(state: ReleaseState) -> ReleaseState:
    """Write the champion's sequence into the event that tells of its move."""

    def numbered(action: Action) -> Action:
        if not isinstance(action, Announce) or action.event.kind not in {"promoted", "rolled back"}:
            return action
        if action.event.alias_sequence is not None:
            return action
        return Announce(_replace(action.event, alias_sequence=state.champion_sequence))

    return _replace(state, pending=tuple(map(numbered, state.pending)))
