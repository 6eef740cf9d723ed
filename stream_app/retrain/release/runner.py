"""The release loop: reads the state, looks at the world, decides, writes the state, carries it out."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from models.access.redis_access import RELEASER, redis_client
from models.metrics.pairing import Pairing
from models.registry import CHAMPION, Registry, RegistryError
from models.release.actions import Announce
from models.release.guardrails import Guardrails
from models.release.limits import Limits
from models.release.matured import MaturedRows, compare_matured
from models.release.release import ReleasePolicy
from models.release.state import Candidate, ChampionMove, Observation, ReleaseState
from models.schema.model_event import Check, ModelEvent
from models.schema.retrain_request import RetrainRequest
from stream_app.retrain.release.announcer import Announcer
from stream_app.retrain.release.executor import Executor
from stream_app.retrain.release.feature_log import FeatureLog
from stream_app.retrain.release.held_lease import HeldLease
from stream_app.retrain.release.paired_rows import Judged, PairedRows
from stream_app.retrain.release.release_state import ReleaseStore
from stream_app.retrain.release.settings import ReleaseSettings
from stream_app.retrain.state_store import StateConflictError, StateError
from stream_app.telemetry.about import about
from stream_app.telemetry.traces import span, traceparent

log = logging.getLogger(__name__)

_LEAST_GROWTH: Final = 50
_GROWTH: Final = 0.05

_replace = msgspec.structs.replace


def _ids(event: ModelEvent) -> dict[str, str | None]:
    return {
        "correlation_id": event.correlation_id,
        "causation_id": event.request_id,
        "event_id": event.event_id,
        "release_id": event.release,
        "model_version": event.version,
        "request_id": event.request_id,
    }


def _ids_of_state(state: ReleaseState) -> dict[str, str | None]:
    return {
        "correlation_id": state.incident or state.request_id or state.release or None,
        "release_id": state.release or None,
        "model_version": state.version,
        "request_id": state.request_id,
    }


_IN_WORDS: Final = {
    "Place": "place",
    "PointChallenger": "point challenger",
    "Promote": "promote",
    "RollBack": "roll back",
    "Verify": "verify",
    "Announce": "announce",
}


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What labels say of two models."""

    check: Check
    version: str
    baseline: str


class ReleaseRunner:
    """One process's release loop; of several one is active by lease, the others stand by.

    `start`, then `poll` again and again by one thread, then `stop`; `offer`, `matured` and the states may be called by
    any thread and while another process is the active one.

    Parameters
    ----------
    settings: what it is started with.
    registry: where models, aliases and the placement are.
    verify: loads a version and checks its golden vectors; raises FraudstreamError when it does not hold.
    step: told the name of each step before it is taken, so that a test can end the process there.
    """

    def __init__(
        self,
        settings: ReleaseSettings,
        registry: Registry,
        verify: Callable[[str], object],
        step: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._verify = verify
        self._step = step
        self._policy = ReleasePolicy(settings.plan)
        self._store = ReleaseStore(redis_client(settings.redis_url, RELEASER), settings.redis_prefix)
        self._lease: HeldLease | None = None
        self._log: FeatureLog | None = None
        self._executor: Executor | None = None
        self._rows: PairedRows | None = None
        self._reading: tuple[object, ...] | None = None
        self._guardrails = Guardrails(Limits())
        self._judged_rows = 0
        self._judged_at_s = 0.0
        self._verdicts: list[_Verdict] = []
        self._left: ReleaseState | None = None

    @property
    def state(self) -> ReleaseState:
        """Where the release stands."""
        return self._store.read()

    @property
    def active_state(self) -> ReleaseState | None:
        """Where this process has left it after its last turn; None while another process is the active one."""
        return self._left

    def start(self) -> None:
        """Connect; raises when Kafka has no feature log."""
        settings = self._settings
        self._log = FeatureLog(settings.broker, settings.topics.features)
        self._lease = HeldLease(
            settings.redis_url, f"{settings.redis_prefix}release-loop", settings.holder, settings.lease_s
        )

    def poll(self) -> bool:
        """Take one turn of some tenths of a second at most; return whether this process is the active one.

        Raises
        ------
        LeaseLostError: another process may be the active one: end this one.
        """
        assert self._lease is not None, "start comes before poll"
        if not self._lease.hold():
            self._left = None
            time.sleep(self._settings.read_s)
            return False
        try:
            self._left = self._turn()
        except StateConflictError:
            # An offer or a person came between: what was decided is decided again on what they wrote.
            log.info("the release state was changed meanwhile; looking again")
        except (RegistryError, StateError):
            if self._store.answers():
                raise
            # Redis is silent: nothing can be decided, and the lease says how long nobody else can either.
            self._lease.check()
            time.sleep(self._settings.read_s)
        return True

    def stop(self) -> None:
        """Free the lease and disconnect; `poll` cannot be called any more."""
        if self._log is not None:
            self._log.close()
        if self._lease is not None:
            self._lease.close()
        self._log, self._lease, self._executor = None, None, None
        self._store.close()

    def offer(
        self, version: str, request: RetrainRequest | None = None, pairing: Pairing | None = None
    ) -> ReleaseState:
        """Hand over a registered version that passed the gate; the same one again changes nothing.

        Parameters
        ----------
        version: of the registry.
        request: what it was trained for.
        pairing: how it and the champion agreed on the hold-out; None leaves the default limits.

        Raises
        ------
        ReleaseError: automatic promotion is frozen, there is no champion, or the version is it.
        RegistryError: there is no such version.
        """
        self._registry.manifest(version)
        candidate = Candidate(
            version=version,
            request_id=None if request is None else request.request_id,
            incident=None if request is None else request.incident,
            expected=pairing,
            trace=traceparent(),
        )
        return self._store.change(lambda state: self._policy.offer(self._follow(state), candidate))

    def matured(self, rows: MaturedRows, version: str, baseline: str) -> Check:
        """Judge labels of rows that the champion and the model before it have scored; a bad verdict rolls back."""
        check = compare_matured(rows)
        self._verdicts.append(_Verdict(check, version, baseline))
        return check

    def _turn(self) -> ReleaseState:
        state = self._carry_out(self._store.read())
        verdicts = tuple(self._verdicts)
        state = self._write(state, self._decided(state, verdicts))
        # Only what is written was heard: after a conflict they are decided on again.
        del self._verdicts[: len(verdicts)]
        state = self._open(self._carry_out(state))
        return self._carry_out(self._write(state, self._observed(state)))

    def _decided(self, state: ReleaseState, verdicts: Sequence[_Verdict]) -> ReleaseState:
        """What an alias, verdicts or a candidate make of the state; a verdict on another champion makes nothing."""
        decided = self._follow(state)
        for verdict in verdicts:
            decided = self._policy.mature(decided, verdict.check, verdict.version, verdict.baseline)
        return self._policy.begin(decided)

    def _follow(self, state: ReleaseState) -> ReleaseState:
        """The state with a champion that somebody else has moved; a pending move of its own comes first."""
        champion = self._registry.alias(CHAMPION)
        if state.pending or champion is None or champion.sequence == state.champion_sequence:
            return state
        if not state.champion_sequence:
            # The first start: whoever serves has served before there was a loop, and is not watched.
            return _replace(state, champion=champion.version, champion_sequence=champion.sequence)
        record = self._registry.history(CHAMPION)[-1]
        return self._policy.moved(
            state,
            ChampionMove(
                version=record.version,
                before=record.before,
                sequence=record.sequence,
                rolled_back=record.action == "rollback",
                actor=record.actor,
                reason=record.reason,
            ),
        )

    def _carry_out(self, state: ReleaseState) -> ReleaseState:
        """Do what is pending, one action after the other, each written as done before the next."""
        while (action := self._policy.next(state)) is not None:
            assert self._lease is not None
            self._lease.check()
            name = type(action).__name__
            self._step(f"before {name}")
            ids = _ids(action.event) if isinstance(action, Announce) else _ids_of_state(state)
            with about(**ids), span(f"release: {_IN_WORDS[name]}", parent=state.trace):
                outcome = self._connected().carry_out(action)
            self._step(f"after {name}")
            if isinstance(action, Announce):
                event = action.event
                log.info(
                    "%s %s (event %d): %s", event.version, event.kind, event.sequence, event.cause, extra=_ids(event)
                )
            state = self._write(state, self._policy.done(state, outcome))
        return state

    def _connected(self) -> Executor:
        if self._executor is None:
            announcer = Announcer(self._settings.broker, self._settings.topics, self._registry.log)
            self._executor = Executor(self._registry, announcer, self._verify)
        return self._executor

    def _write(self, before: ReleaseState, after: ReleaseState) -> ReleaseState:
        if after == before:
            return before
        assert self._lease is not None
        self._lease.check()
        self._step("before the state is written")
        return self._store.write(after)

    def _open(self, state: ReleaseState) -> ReleaseState:
        """Read the feature log from where the stage began, or leave it where there is nothing to compare."""
        assert self._log is not None
        if state.stage == "idle":
            self._close()
            return state
        if state.compares and state.positions is None:
            self._close()
            state = self._write(state, _replace(state, positions=self._log.ends()))
        reading = (state.release, state.version, state.baseline, state.stage in {"shadow", "canary"}, state.compares)
        if reading == self._reading:
            return state
        self._log.start(self._log.ends() if state.positions is None else state.positions)
        self._reading = reading
        self._rows = self._paired_rows(state) if state.compares else None
        self._guardrails = Guardrails(Limits.expecting(state.expected))
        self._judged_rows = 0
        return state

    def _close(self) -> None:
        assert self._log is not None
        self._log.stop()
        self._reading, self._rows = None, None

    def _paired_rows(self, state: ReleaseState) -> PairedRows:
        model, baseline = (
            Judged(version, self._registry.manifest(version).thresholds)
            for version in (state.version, state.baseline)
            if version is not None
        )
        window_rows = self._settings.plan.window_rows if state.stage == "watch" else None
        return PairedRows(model, baseline, state.positions or {}, window_rows)

    def _observed(self, state: ReleaseState) -> ReleaseState:
        """Read what has come and judge it."""
        assert self._log is not None
        if self._reading is None:
            time.sleep(self._settings.read_s)
            return state
        messages = self._log.read(self._settings.read_s)
        if self._rows is None:
            as_of = PairedRows.moment(messages)
            return state if as_of is None else self._policy.pass_time(state, as_of)
        self._rows.take(messages)
        if not self._is_time():
            return state
        rows = self._rows
        assert state.version is not None
        assert state.baseline is not None
        checks = self._guardrails.examine(rows.pairs())
        observation = Observation(
            version=state.version,
            baseline=state.baseline,
            rows=rows.rows,
            unpaired=rows.unpaired,
            unasked=rows.unasked,
            since=rows.since,
            as_of=rows.as_of,
            canary_rows=rows.canary_rows,
            canary_since=rows.canary_since,
            checks=checks,
        )
        observed = self._policy.observe(state, observation)
        keeps_window = state.stage == "watch" and observed.stage == "watch"
        return _replace(observed, positions=rows.positions()) if keeps_window else observed

    def _is_time(self) -> bool:
        """Whether enough has come since the last look."""
        assert self._rows is not None
        seen = self._rows.rows + self._rows.unpaired
        new, now_s = seen - self._judged_rows, time.monotonic()
        grown = new >= max(_LEAST_GROWTH, _GROWTH * min(seen, self._settings.plan.window_rows))
        if not new or not (grown or now_s - self._judged_at_s >= self._settings.judge_s):
            return False
        self._judged_rows, self._judged_at_s = seen, now_s
        return True
