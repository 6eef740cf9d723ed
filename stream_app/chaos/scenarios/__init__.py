"""What is done to a world, by what is broken."""

from typing import Final

from stream_app.chaos.scenario import Scenario
from stream_app.chaos.scenarios import inputs, load, models, servers, storage, workers

SCENARIOS: Final[dict[str, Scenario]] = {
    scenario.name: scenario
    for module in (workers, servers, models, inputs, storage, load)
    for scenario in module.SCENARIOS
}
