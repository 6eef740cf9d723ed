"""The short form of the fault suite: real processes broken on purpose, every transaction counted afterwards."""

import pytest

from stream_app.chaos.run import ChaosRun, ScenarioResult
from stream_app.chaos.scenario import Scenario
from stream_app.chaos.scenarios import SCENARIOS
from stream_app.chaos.world import ChaosError, World


def give_up(world: World) -> None:
    world.stack.redis.kill()
    world.stack.kafka.kill()
    raise ChaosError("given up")


GIVEN_UP = Scenario("given-up", "fails while both servers are down", give_up, gap_bound_s=1.0)
SHORT = [scenario for scenario in SCENARIOS.values() if scenario.short]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ChaosRun:
    return ChaosRun(tmp_path_factory.mktemp("chaos"), events=6_000, rate=1_500.0, seed=1, say=lambda _text: None)


@pytest.fixture(scope="module")
def results(run: ChaosRun) -> dict[str, ScenarioResult]:
    return {result.name: result for result in run.run([GIVEN_UP, *SHORT]).scenarios}


@pytest.mark.timeout(400)  # all of them run when the first asks; each starts its workers anew
@pytest.mark.parametrize("scenario", SHORT, ids=lambda scenario: scenario.name)
def test_nothing_is_lost_doubled_disordered_or_different(
    scenario: Scenario, results: dict[str, ScenarioResult]
) -> None:
    result = results[scenario.name]
    counted = (result.lost, result.duplicated, result.out_of_order, result.feature_differences)
    assert (result.events, counted, result.missed) == (6_000, (0, 0, 0, 0), [])


def test_a_scenario_that_fails_takes_no_other_along(results: dict[str, ScenarioResult]) -> None:
    given_up = results["given-up"]
    assert (given_up.passed, given_up.missed) == (False, ["ChaosError: given up"])
