"""The release loop without Kafka and Redis: policy, executor and a state that survives crashes."""

from collections.abc import Callable
from typing import cast

import msgspec

from models.registry import CHAMPION, Registry
from models.release.plan import HOUR_MS, ReleasePlan
from models.release.release import ReleasePolicy
from models.release.state import ChampionMove, Observation, ReleaseState
from models.schema.model_event import Check, Verdict
from stream_app.retrain.release.executor import Executor
from tests.support.fake_registry import FakeAnnouncer, FakeRegistry

START = 1_525_132_800_000
PLAN = ReleasePlan(shadow_transactions=2_000, canary_transactions=2_000, least_rows=500, canary_share=0.2)


class Crash(Exception):  # noqa: N818  a crash is no error of ours
    """The process is gone."""


def check(verdict: Verdict = "ok") -> Check:
    """A guardrail as the policy sees it."""
    return Check(name="alert rate", figure=1.0, limit=1.7, verdict=verdict, sentence="as many alerts", rows=100)


class ReleaseBench:
    """Champion m-1, and whatever a test does then; `crash_at` counts the moments around actions and writes."""

    def __init__(self, crash_at: int | None = None, plan: ReleasePlan = PLAN) -> None:
        self.registry = FakeRegistry()
        self.announcer = FakeAnnouncer()
        self.verified: list[str] = []
        self.policy = ReleasePolicy(plan)
        self.crash_at = crash_at
        self.moments = 0
        self.crashes = 0
        self._stored = msgspec.json.encode(ReleaseState())
        self._executor = Executor(cast("Registry", self.registry), self.announcer, self.verified.append)
        self.registry.promote("m-1", "ada", "first")
        self.follow()

    @property
    def state(self) -> ReleaseState:
        """What is stored."""
        return msgspec.json.decode(self._stored, type=ReleaseState)

    @property
    def champion(self) -> str:
        """Who serves."""
        found = self.registry.alias(CHAMPION)
        assert found is not None
        return found.version

    def do(self, change: Callable[[ReleaseState], ReleaseState]) -> ReleaseState:
        """Decide, store, carry out; after a crash the next process does again what is not known to be done."""
        while True:
            try:
                self._carry_out()
                changed = change(self.state)
                self._moment()
                self._stored = msgspec.json.encode(changed)
                self._carry_out()
            except Crash:
                self.crashes += 1
            else:
                return self.state

    def follow(self) -> ReleaseState:
        """Tell of a move that somebody else has made."""
        record = self.registry.history(CHAMPION)[-1]
        move = ChampionMove(
            version=record.version,
            before=record.before,
            sequence=record.sequence,
            rolled_back=record.action == "rollback",
            actor=record.actor,
            reason=record.reason,
        )
        return self.do(lambda state: self.policy.moved(state, move))

    def see(self, rows: int, *, hours: float = 0.0, canary_rows: int = 0, verdict: Verdict = "ok") -> ReleaseState:
        """Tell what the feature log shows."""

        def observed(state: ReleaseState) -> ReleaseState:
            as_of = START + round(hours * HOUR_MS)
            seen = Observation(
                version=state.version or "",
                baseline=state.baseline or "",
                rows=rows,
                unpaired=0,
                since=START,
                as_of=as_of,
                canary_rows=canary_rows,
                canary_since=START if canary_rows else None,
                checks=(check(verdict),),
            )
            return self.policy.observe(state, seen)

        return self.do(observed)

    def _carry_out(self) -> None:
        while (action := self.policy.next(self.state)) is not None:
            self._moment()
            outcome = self._executor.carry_out(action)
            self._moment()
            self._stored = msgspec.json.encode(self.policy.done(self.state, outcome))

    def _moment(self) -> None:
        if self.moments == self.crash_at:
            self.moments += 1
            raise Crash
        self.moments += 1
