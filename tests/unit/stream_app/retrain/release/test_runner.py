"""What a release loop's turn makes of verdicts, with everything around it in memory."""

from typing import Any, cast

import msgspec
import numpy as np

from models.registry import CHAMPION, Registry
from models.release.matured import MaturedRows
from models.release.state import ReleaseState
from stream_app.retrain.release.executor import Executor
from stream_app.retrain.release.runner import ReleaseRunner
from stream_app.retrain.release.settings import ReleaseSettings
from stream_app.retrain.state_store import StateConflictError
from tests.support.fake_registry import FakeAnnouncer, FakeRegistry


class Store:
    """Holds the state; somebody may come between once."""

    def __init__(self, state: ReleaseState) -> None:
        self.state = state
        self.conflicts = 0

    def read(self) -> ReleaseState:
        return self.state

    def write(self, state: ReleaseState) -> ReleaseState:
        if self.conflicts:
            self.conflicts -= 1
            raise StateConflictError("somebody else has written")
        self.state = msgspec.structs.replace(state, revision=state.revision + 1)
        return self.state


class Lease:
    """Held, or not."""

    held = True

    def hold(self) -> bool:
        return self.held

    def check(self) -> None:
        assert self.held


class Log:
    """A feature log to which nothing comes."""

    def ends(self) -> dict[int, int]:
        return {0: 0}

    def start(self, positions: Any) -> None:
        pass

    def stop(self) -> None:
        pass

    def read(self, timeout_s: float) -> list[Any]:
        return []


class Loop:
    """A loop whose champion m-2 has come after m-1 and whose labels mature."""

    def __init__(self) -> None:
        self.registry = FakeRegistry()
        for version in ("m-1", "m-2"):
            self.registry.promote(version, "ada", "first")
        champion = self.registry.names[CHAMPION]
        self.store = Store(
            ReleaseState(
                stage="maturing", release="r-1", version="m-2", baseline="m-1", champion="m-2",
                champion_sequence=champion.sequence, promoted_at=1,
            )
        )  # fmt: skip
        self.lease = Lease()
        registry = cast("Registry", self.registry)
        self.runner = ReleaseRunner(ReleaseSettings("b", "redis://nowhere", "w", read_s=0.0), registry, lambda _: None)
        self.runner._store, self.runner._lease, self.runner._log = (
            cast("Any", one) for one in (self.store, self.lease, Log())
        )
        self.runner._executor = Executor(registry, FakeAnnouncer(), lambda _: None)

    @property
    def champion(self) -> str:
        return self.registry.names[CHAMPION].version


def worse() -> MaturedRows:
    """Rows on which the champion says nothing and the one before tells all."""
    is_fraud = np.arange(4_000) % 20 == 0
    return MaturedRows(np.random.default_rng(1).random(4_000), is_fraud.astype(float), is_fraud, np.arange(4_000))


def test_a_bad_verdict_rolls_back_once_however_often_it_is_given() -> None:
    loop = Loop()
    for _ in range(2):
        assert loop.runner.matured(worse(), "m-2", "m-1").verdict == "broken"
    assert loop.runner.poll()
    assert (loop.champion, loop.store.state.stage) == ("m-1", "idle")
    loop.runner.poll()
    assert [record.action for record in loop.registry.history(CHAMPION)] == ["promote", "promote", "rollback"]


def test_a_verdict_is_heard_although_somebody_else_has_written_meanwhile() -> None:
    loop = Loop()
    loop.runner.matured(worse(), "m-2", "m-1")
    loop.store.conflicts = 1
    loop.runner.poll()
    assert loop.champion == "m-2"
    loop.runner.poll()
    assert loop.champion == "m-1"


def test_a_verdict_on_another_champion_is_dropped() -> None:
    loop = Loop()
    loop.runner.matured(worse(), "m-1", "m-0")
    loop.runner.poll()
    assert loop.champion == "m-2"
    assert loop.runner._verdicts == []


def test_only_the_active_process_has_a_state_of_its_own() -> None:
    loop = Loop()
    states = [loop.runner.active_state]
    for loop.lease.held in (True, False):
        loop.runner.poll()
        states.append(loop.runner.active_state)
    assert states == [None, loop.store.state, None]
