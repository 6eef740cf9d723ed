"""Follows the champion: loads and proves a promoted model beside the running one, then swaps between two batches."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import redis.asyncio
from redis.exceptions import RedisError

from models.alias import Alias
from models.bundle import BundleError
from models.errors import FraudstreamError
from models.features.feature_set import UnknownFeatureSetError, feature_set
from models.model_cache import LocalModelCache
from models.registry import CHAMPION, Registry, RegistryError
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.settings import ScoringSettings

log = logging.getLogger(__name__)

_NOTICE_EVERY_S = 10.0


class Champion:
    """The model that decides, as Redis says it, or as the last verified copy says it while Redis is silent.

    Parameters
    ----------
    settings:
        The worker's settings.
    registry:
        Where models and aliases live.
    cache:
        The last verified model on this machine, for a start without Redis.
    signers:
        Whose signatures are served.
    swapped:
        Awaited after every swap.
    """

    def __init__(
        self,
        settings: ScoringSettings,
        registry: Registry,
        cache: LocalModelCache,
        signers: AllowedSigners,
        metrics: ScoringMetrics,
        swapped: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._cache = cache
        self._signers = signers
        self._metrics = metrics
        self._swapped = swapped
        self.model: LoadedModel | None = None
        self.sequence = -1
        self._refused: set[str] = set()
        self._from_cache = False
        self._answered_at = time.monotonic()

    @property
    def stale(self) -> bool:
        """Whether scores are to be marked degraded: started from the local copy, or no answer for too long."""
        return self._from_cache or time.monotonic() - self._answered_at > self._settings.degraded_after_s

    async def first(self) -> LoadedModel:
        """Wait for the first model: the champion, else, with Redis silent, the local copy."""
        noticed_at = 0.0
        while True:
            try:
                await self.look()
            except RegistryError as error:
                await self._load_copy(error)
            if self.model is not None:
                return self.model
            if time.monotonic() - noticed_at > _NOTICE_EVERY_S:
                log.warning(
                    "no model is promoted yet: `fraudstream models train ... --promote`, or `fraudstream models "
                    "promote VERSION`"
                )
                noticed_at = time.monotonic()
            await asyncio.sleep(self._settings.model_poll_s / 4)

    async def follow(self) -> None:
        """Swap to every newly promoted model, told by Redis' pub/sub and, where that is silent, found by polling."""
        moved = asyncio.Event()
        listening = asyncio.create_task(self._listen(moved))
        try:
            while True:
                try:
                    async with asyncio.timeout(self._settings.model_poll_s):
                        await moved.wait()
                except TimeoutError:
                    pass
                moved.clear()
                try:
                    await self.look()
                except RegistryError as error:
                    self._metrics.registry_errors.inc()
                    log.warning(
                        "the registry is silent, serving %s on: %s",
                        self.model.version if self.model else "nothing",
                        error,
                    )
        finally:
            listening.cancel()

    async def look(self) -> None:
        """Ask for the champion and load it if it is a newer one; raises RegistryError when Redis is silent."""
        alias = await asyncio.to_thread(self._registry.alias, CHAMPION)
        self._answered_at = time.monotonic()
        if (
            alias is None
            or (alias.sequence <= self.sequence and not self._from_cache)
            or alias.version in self._refused
        ):
            return
        try:
            model = await asyncio.to_thread(self._load, alias.version)
        except (BundleError, UnknownFeatureSetError, FeatureSetMismatchError) as error:
            self._refused.add(alias.version)
            self._metrics.models_refused.inc()
            log.error(  # noqa: TRY400  one line: the reason says it all
                "model %s refused, %s stays: %s", alias.version, self.model.version if self.model else "nothing", error
            )
            return
        before = self.model.version if self.model else None
        self.model, self.sequence, self._from_cache = model, alias.sequence, False
        self._metrics.model_swapped(model.version)
        log.info(
            "champion %s (move %d by %s: %s), before: %s",
            model.version,
            alias.sequence,
            alias.actor,
            alias.reason,
            before,
        )
        await asyncio.to_thread(self._keep_copy, alias)
        await self._swapped()

    def _keep_copy(self, alias: Alias) -> None:
        try:
            self._cache.store(self._registry.get(alias.version), alias)
        except FraudstreamError as error:
            log.warning("no local copy of %s was kept: %s", alias.version, error)

    async def version(self, version: str) -> LoadedModel | None:
        """A certain version, to compute again what it scored; None where it cannot be had."""
        if self.model is not None and self.model.version == version:
            return self.model
        try:
            return await asyncio.to_thread(self._load, version)
        except FraudstreamError as error:
            log.warning("model %s cannot be loaded, rows it scored are marked unverified: %s", version, error)
            return None

    def _load(self, version: str) -> LoadedModel:
        model = LoadedModel.load(self._registry.get(version), self._signers)
        wanted = self._settings.feature_set or (
            self.model.manifest.feature_set if self.model else model.manifest.feature_set
        )
        if model.manifest.feature_set != wanted:
            raise FeatureSetMismatchError(
                f"model {version} needs feature set {model.manifest.feature_set}, this worker computes {wanted}; "
                "start workers with the new feature set beside these, or train on this one"
            )
        feature_set(wanted)
        return model

    async def _load_copy(self, cause: RegistryError) -> None:
        copy = await asyncio.to_thread(self._cache.last)
        if copy is None:
            raise cause
        bundle, alias = copy
        self.model = await asyncio.to_thread(LoadedModel.load, bundle, self._signers)
        self.sequence, self._from_cache = alias.sequence, True
        self._metrics.model_swapped(self.model.version)
        log.warning(
            "the registry is silent, starting with the local copy of %s, scores are marked degraded: %s",
            self.model.version,
            cause,
        )

    async def _listen(self, moved: asyncio.Event) -> None:
        while True:
            try:
                async with redis.asyncio.from_url(self._settings.redis_url) as client, client.pubsub() as subscription:
                    await subscription.subscribe(self._registry.channel)
                    moved.set()
                    while True:
                        if await subscription.get_message(ignore_subscribe_messages=True, timeout=30):
                            moved.set()
            except (RedisError, OSError):
                await asyncio.sleep(self._settings.model_poll_s)


class FeatureSetMismatchError(FraudstreamError):
    """Raised when a promoted model needs other features than this worker computes."""
