"""Actions that were carried out before a crash are found so."""

from typing import cast

import pytest

from models.errors import FraudstreamError
from models.registry import CHAMPION, PREVIOUS, Registry, RegistryError
from models.release.actions import Action, Place, PointChallenger, Promote, RollBack, Verify
from models.release.placement import Placement
from stream_app.retrain.release.executor import Executor
from tests.support.fake_registry import FakeAnnouncer, FakeRegistry


@pytest.fixture
def registry() -> FakeRegistry:
    made = FakeRegistry()
    for version in ("m-0", "m-1"):
        made.promote(version, "ada", "first")
    return made


def executor(registry: FakeRegistry, error: Exception | None = None) -> Executor:
    def verify(_version: str) -> None:
        if error is not None:
            raise error

    return Executor(cast("Registry", registry), FakeAnnouncer(), verify)


def test_what_is_done_is_not_done_again(registry: FakeRegistry) -> None:
    actions: list[Action] = [
        PointChallenger("m-2", "try"),
        Place(Placement(shadow=("m-2",))),
        Promote("m-2", "better", registry.names[CHAMPION].sequence),
    ]
    for action in actions:
        first = executor(registry).carry_out(action)
        records, placed = list(registry.records), registry.placed
        assert executor(registry).carry_out(action) == first
        assert (registry.records, registry.placed) == (records, placed)


def test_a_move_that_somebody_else_was_faster_with_is_overtaken(registry: FakeRegistry) -> None:
    sequence = registry.names[CHAMPION].sequence
    registry.promote("m-9", "ada", "this one")
    moves: tuple[Action, ...] = (Promote("m-2", "better", sequence), RollBack("m-1", "m-0", "bad", sequence))
    for action in moves:
        outcome = executor(registry).carry_out(action)
        assert outcome.overtaken == "ada has moved the champion to m-9 (this one)"
    assert registry.names[CHAMPION].version == "m-9"


def test_a_roll_back_finds_its_model_though_the_alias_previous_points_elsewhere(registry: FakeRegistry) -> None:
    registry.move(PREVIOUS, "m-7", "ada", "why not")
    executor(registry).carry_out(RollBack("m-1", "m-0", "bad", registry.names[CHAMPION].sequence))
    assert registry.names[CHAMPION].version == "m-0"


def test_a_version_that_does_not_verify_is_an_outcome_and_a_silent_redis_is_not(registry: FakeRegistry) -> None:
    assert executor(registry).carry_out(Verify("m-1")).failure is None
    assert executor(registry, FraudstreamError("golden rows\n differ")).carry_out(Verify("m-1")).failure == (
        "golden rows differ"
    )
    with pytest.raises(RegistryError):
        executor(registry, RegistryError("no Redis")).carry_out(Verify("m-1"))


def test_without_a_champion_nothing_can_be_moved() -> None:
    with pytest.raises(RegistryError, match="no champion any more"):
        executor(FakeRegistry()).carry_out(Promote("m-2", "better", 1))
