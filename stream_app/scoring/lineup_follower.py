"""Follows champion and placement: loads and proves what is asked for beside the running models, then swaps them all."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from redis.exceptions import RedisError

from models.access.redis_access import async_redis_client
from models.alias import Alias
from models.errors import FraudstreamError
from models.model_cache import LocalModelCache
from models.registry import CHAMPION, PREVIOUS, Registry, RegistryError
from models.release.placement import Placement
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.loaded_models import LoadedModels
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.settings import ScoringSettings
from stream_app.telemetry.about import about
from stream_app.telemetry.traces import span

log = logging.getLogger(__name__)

_NOTICE_EVERY_S = 10.0


class LineupFollower:
    """The models that score, as Redis says it, or as the last verified copy says it while Redis is silent.

    Champion and placement are looked at together and swapped together, between two batches, once all that they name is
    loaded or refused. What an alias still names stays in memory, so that neither a promotion nor a rollback loads a
    model a second time, in whatever order the champion and the placement are moved.

    Parameters
    ----------
    settings:
        The worker's settings.
    registry:
        Where models, aliases and the placement live.
    cache:
        The last verified model on this machine, for a start without Redis.
    signers:
        Whose signatures are served.
    swapped:
        Awaited after every swap.

    Attributes
    ----------
    lineup: what scores the next batch; None before the first model.
    sequence: of the champion's last move that was taken.
    models: what is in memory, and what was refused.
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
        self.models = LoadedModels(registry, signers, metrics, settings.feature_set)
        self.lineup: Lineup | None = None
        self.sequence = -1
        self._refused_sequence = -1
        self._from_cache = False
        self._answered_at = time.monotonic()

    @property
    def stale(self) -> bool:
        """Whether scores are to be marked degraded: started from the local copy, or no answer for too long."""
        return self._from_cache or time.monotonic() - self._answered_at > self._settings.degraded_after_s

    async def first(self) -> LoadedModel:
        """Wait for the first model: the champion, else the local copy.

        The copy serves where Redis is silent or empty, or the champion refused.
        """
        noticed_at = 0.0
        tried: set[bool] = set()  # for want of any champion (False), for want of a good one (True): each once
        while True:
            try:
                await self.look()
            except RegistryError as error:
                if self.lineup is None:
                    await self._load_copy(error)
            if self.lineup is None and bool(self.models.refused) not in tried:
                tried.add(bool(self.models.refused))
                await self._load_copy_of_good()
            if self.lineup is not None:
                return self.lineup.champion
            if time.monotonic() - noticed_at > _NOTICE_EVERY_S:
                log.warning(
                    "no model to serve yet: `fraudstream models train ... --promote`, or `fraudstream models "
                    "promote VERSION`"
                )
                noticed_at = time.monotonic()
            await asyncio.sleep(self._settings.model_poll_s / 4)

    async def follow(self) -> None:
        """Take every promotion and placement, told by Redis' pub/sub and, where that is silent, found by polling."""
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
                    log.warning("the registry is silent, serving %s on: %s", self._champion_in_words(), error)
        finally:
            listening.cancel()

    async def look(self) -> None:
        """Ask for champion and placement, load what is new of them and swap.

        Raises
        ------
        RegistryError
            When Redis is silent; a new champion that was loaded before is taken all the same.
        """
        aliases, placement = await asyncio.to_thread(self._read)
        self._answered_at = time.monotonic()
        before, move = self.lineup, aliases.get(CHAMPION)
        champion = None if move is None else await self._newer_champion(move)
        serving = champion or (before.champion if before else None)
        if serving is None:
            return
        if before is not None and placement.sequence <= before.placement.sequence:
            if champion is None:
                return
            placement = before.placement
        silence = None
        try:
            await self._load_placed(placement, serving)
        except RegistryError as error:
            if champion is None:
                raise
            placement, silence = before.placement if before else Placement(), error
        self._swap(serving, placement, aliases)
        if champion is not None and move is not None:
            with about(**_ids(champion, before.champion if before else None)), span("swap champion"):
                await self._take_champion(move, before)
        await self._swapped()
        if silence is not None:
            raise silence

    def _read(self) -> tuple[dict[str, Alias], Placement]:
        return self._registry.aliases(), self._registry.placement()

    async def _newer_champion(self, move: Alias) -> LoadedModel | None:
        """The model of a move that is not taken yet; None where there is none, or it was refused."""
        if move.sequence <= self.sequence and not self._from_cache:
            return None
        model = await self.models.take(move.version)
        if model is None and move.sequence > self._refused_sequence:
            self._refused_sequence = move.sequence
            reason = self.models.refused[move.version]
            log.error(
                "model %s refused, %s stays: %s", move.version, self._champion_in_words(), reason,
                extra={"model_version": move.version},
            )  # fmt: skip
        return model

    async def _load_placed(self, placement: Placement, champion: LoadedModel) -> None:
        for version in placement.versions:
            if version == champion.version or version in self.models.refused:
                continue
            if await self.models.take(version) is None:
                log.error("model %s refused, it scores nothing: %s", version, self.models.refused[version])

    def _swap(self, champion: LoadedModel, placement: Placement, aliases: Mapping[str, Alias]) -> None:
        """From here on the next batch is scored by these models."""
        previous = aliases[PREVIOUS].version if PREVIOUS in aliases else ""
        ordered = sorted(placement.versions, key=lambda version: version != previous)
        placed = {version: self.models.get(version) for version in ordered if version != champion.version}
        beside = {version: model for version, model in placed.items() if model is not None}
        reserve = None if previous in beside or previous == champion.version else self.models.get(previous)
        before, self.lineup = self.lineup, Lineup(champion, beside, placement, reserve)
        self.models.keep({champion.version, *placement.versions, *(alias.version for alias in aliases.values())})
        self._metrics.lineup_swapped(self.lineup)
        if placement.sequence > (before.placement.sequence if before else 0):
            log.info(
                "placement %d: %s", placement.sequence, _in_words(self.lineup),
                extra=_ids(self.lineup.canary or next(iter(beside.values()), None), champion),
            )  # fmt: skip

    async def _take_champion(self, move: Alias, before: Lineup | None) -> None:
        self.sequence, self._from_cache = move.sequence, False
        log.info(
            "champion %s (move %d by %s: %s), before: %s",
            move.version,
            move.sequence,
            move.actor,
            move.reason,
            before.champion.version if before else None,
        )
        await asyncio.to_thread(self._keep_copy, move)

    def _keep_copy(self, alias: Alias) -> None:
        try:
            self._cache.store(self._registry.get(alias.version), alias)
        except FraudstreamError as error:
            log.warning("no local copy of %s was kept: %s", alias.version, error)

    async def _load_copy(self, cause: RegistryError) -> None:
        copy = await asyncio.to_thread(self._cache.last)
        if copy is None:
            raise cause
        bundle, alias = copy
        model = await asyncio.to_thread(LoadedModel.load, bundle, self._signers)
        self.models.add(model)
        self.lineup, self.sequence, self._from_cache = Lineup(model), alias.sequence, True
        self._metrics.lineup_swapped(self.lineup)
        log.warning(
            "starting with the local copy of %s, scores are marked degraded: %s",
            model.version,
            cause,
        )

    async def _load_copy_of_good(self) -> None:
        """Start with the last model that was good, if it still is: a bad or lost champion stops nobody who starts."""
        refused = [f"{version} is refused: {why}" for version, why in self.models.refused.items()]
        if not refused and await asyncio.to_thread(self._cache.last) is None:
            return  # nothing was ever promoted here
        lost = "the registry knows no champion, though one has served here; is it another, or was Redis lost?"
        try:
            await self._load_copy(RegistryError("; ".join(refused) or lost))
        except FraudstreamError as error:
            log.critical("no model can be served: %s; promote or roll back to one that verifies", error)

    def _champion_in_words(self) -> str:
        return self.lineup.champion.version if self.lineup else "nothing"

    async def _listen(self, moved: asyncio.Event) -> None:
        while True:
            try:
                async with async_redis_client(self._settings.redis_url) as client, client.pubsub() as subscription:
                    await subscription.subscribe(self._registry.channel)
                    moved.set()
                    while True:
                        if await subscription.get_message(ignore_subscribe_messages=True, timeout=30):
                            moved.set()
            except (RedisError, OSError):
                await asyncio.sleep(self._settings.model_poll_s)


def _ids(model: LoadedModel | None, before: LoadedModel | None) -> dict[str, str | None]:
    """What a line about models carries: where a model is taken back, the model before it names what led there."""
    return {
        "model_version": model.version if model else None,
        "correlation_id": model.manifest.correlation_id if model else None,
        "before_version": before.version if before else None,
        "before_correlation_id": before.manifest.correlation_id if before else None,
    }


def _in_words(lineup: Lineup) -> str:
    canary = lineup.canary
    shadows = [version for version, model in lineup.beside.items() if model is not canary]
    parts = [f"{', '.join(shadows)} in shadow"] if shadows else []
    if canary is not None:
        parts.append(f"{canary.version} decides for {lineup.placement.canary_share:.1%} of cards")
    return "; ".join(parts) or "nothing beside the champion"
