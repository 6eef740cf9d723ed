"""The models in a worker's memory: each version is fetched, proved and warmed up once, beside the running ones."""

import asyncio
import logging
from collections.abc import Collection

from models.errors import FraudstreamError
from models.features.feature_set import feature_set
from models.registry import Registry, RegistryError
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.scoring.batch_scores import reason_of
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.telemetry.traces import span

log = logging.getLogger(__name__)


class FeatureSetMismatchError(FraudstreamError):
    """Raised when a model needs other features than this worker computes."""


class LoadedModels:
    """Models by version, for as long as they are wanted.

    Parameters
    ----------
    registry:
        Where bundles live.
    signers:
        Whose signatures are served.
    metrics:
        Counts what is refused.
    features:
        Version of the feature set that this worker computes; None takes that of the first model.

    Attributes
    ----------
    refused: why a version is never loaded, by version; it is tried once.
    """

    def __init__(
        self, registry: Registry, signers: AllowedSigners, metrics: ScoringMetrics, features: str | None
    ) -> None:
        self._registry = registry
        self._signers = signers
        self._metrics = metrics
        self._features = features
        self._models: dict[str, LoadedModel] = {}
        self.refused: dict[str, str] = {}

    def get(self, version: str) -> LoadedModel | None:
        """The model, if it is in memory."""
        return self._models.get(version)

    async def take(self, version: str) -> LoadedModel | None:
        """The model, loaded if it is not yet; None where it was refused.

        Raises
        ------
        RegistryError
            When Redis is silent, or knows no such version.
        """
        if version not in self._models and version not in self.refused:
            try:
                model = await self._load(version)
            except RegistryError:
                raise
            except Exception as error:  # noqa: BLE001  whatever it is that cannot be loaded, it is refused
                self.refused[version] = reason_of(error)
                self._metrics.models_refused.inc()
                return None
            self.add(model)
        return self._models.get(version)

    async def find(self, version: str) -> LoadedModel | None:
        """A certain version, to compute again what it scored; None where it cannot be had."""
        try:
            return self._models.get(version) or await self._load(version)
        except Exception as error:  # noqa: BLE001  whatever it is, a partition opens without it
            log.warning(
                "model %s cannot be loaded, rows it scored are marked unverified: %s", version, reason_of(error)
            )
            return None

    def add(self, model: LoadedModel) -> None:
        """Keep a model that was loaded and proved."""
        self._features = self._features or model.manifest.feature_set
        self._models[model.version] = model

    def keep(self, versions: Collection[str]) -> None:
        """Forget every model that is not wanted any more."""
        self._models = {version: model for version, model in self._models.items() if version in versions}

    async def _load(self, version: str) -> LoadedModel:
        with span("load model", attributes={"fraudstream.model_version": version}):
            return await self._loaded(version)

    async def _loaded(self, version: str) -> LoadedModel:
        bundle = await asyncio.to_thread(self._registry.get, version)
        model = await asyncio.to_thread(LoadedModel.load, bundle, self._signers)
        wanted = self._features or model.manifest.feature_set
        if model.manifest.feature_set != wanted:
            raise FeatureSetMismatchError(
                f"model {version} needs feature set {model.manifest.feature_set}, this worker computes {wanted}; "
                "start workers with the new feature set beside these, or train on this one"
            )
        feature_set(wanted)
        return model
