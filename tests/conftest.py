"""What every test may use."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs no broker first: a plain mistake shows before Kafka is even started."""
    order = ("unit", "integration", "e2e", "browser")
    items.sort(
        key=lambda item: next((place for place, part in enumerate(order) if part in item.path.parts), len(order))
    )
