"""A small simulated bank for all tests of the simulator."""

import pytest

from producers.simulator.population import Population
from producers.simulator.settings import PopulationSettings

SETTINGS = PopulationSettings(customers=600, terminals=300, transactions_per_day=3000)


@pytest.fixture(scope="session")
def population() -> Population:
    return Population(SETTINGS, seed=7)
