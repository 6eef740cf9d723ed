"""What each model version says of itself in its manifest: what it was used to, and how its scores are calibrated."""

import logging

from models.drift.reference import DriftReference
from models.drift.watch import reference_in
from models.metrics.calibration import CalibrationMap
from models.registry import Registry

log = logging.getLogger(__name__)


class References:
    """Looks up references, each once.

    Parameters
    ----------
    registry: where the manifests are.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[str, DriftReference | None] = {}

    def of(self, version: str) -> DriftReference | None:
        """Return the reference of a version; None, said once, where it has none: it is not watched for drift."""
        if version not in self._known:
            manifest = self._registry.find_manifest(version)
            reference = None if manifest is None else reference_in(manifest.reference)
            if reference is None:
                why = "the registry does not hold it" if manifest is None else "its manifest holds no reference"
                log.warning("model %s is not watched for drift: %s", version, why)
            self._known[version] = reference
        return self._known[version]

    def calibration(self, version: str) -> CalibrationMap | None:
        """Return the calibration map of a version, None where it has none."""
        reference = self.of(version)
        return None if reference is None else reference.calibration
