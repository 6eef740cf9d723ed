"""What a model says of itself."""

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from models.registry import Registry
from stream_app.watch.history.references import References


class FakeRegistry:
    """Holds one model without a reference, and counts questions."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find_manifest(self, version: str) -> Any:
        self.asked.append(version)
        return SimpleNamespace(reference=None) if version == "m-old" else None


@pytest.mark.parametrize(
    ("version", "why"), [("m-old", "its manifest holds no reference"), ("m-gone", "the registry does not hold it")]
)
def test_a_model_without_a_reference_is_asked_for_and_named_once(
    version: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = FakeRegistry()
    references = References(cast("Registry", registry))
    with caplog.at_level(logging.WARNING):
        assert [references.of(version), references.of(version), references.calibration(version)] == [None] * 3
    assert registry.asked == [version]
    assert [record.getMessage() for record in caplog.records] == [f"model {version} is not watched for drift: {why}"]
