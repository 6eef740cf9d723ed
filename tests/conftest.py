"""What every test may use."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from stream_app.stack.local_stack import LocalStack

# As the command line sets it, before anything loads OpenMP.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# The same examples in every run. The first one of a test may compile a kernel, and the machine may be busy with a
# broker: no example has a time limit of its own, the test has.
settings.register_profile("fraudstream", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fraudstream")

LATER = ("integration", "e2e", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs no broker first: a plain mistake shows before Kafka is even started."""
    items.sort(key=lambda item: next((place for place, part in enumerate(LATER, 1) if part in item.path.parts), 0))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Kafka and Redis, started once; both end with this process, however it ends.

    A broker that cannot be started fails the test: there is no skipping.
    """
    # Retention is looked at every second, not every five minutes: a test waits for a check that has really run.
    often = {"log.initial.task.delay.ms": "1000", "log.retention.check.interval.ms": "1000"}
    with LocalStack(tmp_path_factory.mktemp("stack"), kafka_settings=often) as running:
        yield running
