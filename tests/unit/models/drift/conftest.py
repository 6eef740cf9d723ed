"""One reference for all drift tests."""

import pytest

from models.drift.reference import DriftReference, build_reference
from tests.unit.models.drift.small_bank import CODES, NAMES, reference_rows


@pytest.fixture(scope="package")
def reference() -> DriftReference:
    """Of four weeks of the small bank."""
    return build_reference(reference_rows(), NAMES, CODES, "four weeks of a small bank")
