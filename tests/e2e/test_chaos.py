"""The short form of the fault suite: real processes broken on purpose, every transaction counted afterwards."""

import pytest

from stream_app.chaos.run import ChaosRun, ScenarioResult
from stream_app.chaos.scenario import Scenario
from stream_app.chaos.scenarios import SCENARIOS

SHORT = [scenario for scenario in SCENARIOS.values() if scenario.short]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ChaosRun:
    return ChaosRun(tmp_path_factory.mktemp("chaos"), events=6_000, rate=1_500.0, seed=1, say=lambda _text: None)


@pytest.fixture(scope="module")
def results(run: ChaosRun) -> dict[str, ScenarioResult]:
    return {result.name: result for result in run.run(SHORT).scenarios}


@pytest.mark.timeout(400)  # all of them run when the first asks; each starts its workers anew
@pytest.mark.parametrize("scenario", SHORT, ids=lambda scenario: scenario.name)
def test_nothing_is_lost_doubled_disordered_or_different(
    scenario: Scenario, results: dict[str, ScenarioResult]
) -> None:
    result = results[scenario.name]
    counted = (result.lost, result.duplicated, result.out_of_order, result.feature_differences)
    assert (result.events, counted, result.missed) == (6_000, (0, 0, 0, 0), [])
