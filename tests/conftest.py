"""What every test may use."""

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run. The first one of a test may compile a kernel, and the machine may be busy with a
# broker: no example has a time limit of its own, the test has.
settings.register_profile("fraudstream", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fraudstream")

LATER = ("integration", "e2e", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs no broker first: a plain mistake shows before Kafka is even started."""
    items.sort(key=lambda item: next((place for place, part in enumerate(LATER, 1) if part in item.path.parts), 0))
