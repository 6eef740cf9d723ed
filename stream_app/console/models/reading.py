"""Everything that the models page shows, read from Redis and from the drift stream."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.alias import Alias
from models.errors import FraudstreamError
from models.manifest import Manifest
from models.proposal import Proposal
from models.registry import Registry
from models.release.state import ReleaseState
from stream_app.console.audit.chain import AuditChain, AuditReading
from stream_app.console.models.gate import GateView, gate_view
from stream_app.console.models.lineage import Step, lineage
from stream_app.console.models.reigns import Reign, reigns, trials
from stream_app.console.models.release import ReleaseView
from stream_app.console.models.timeline import Timeline, timeline
from stream_app.drift.stream import Told
from stream_app.retrain.release.release_state import ReleaseStore
from stream_app.retrain.retrain_store import RetrainStore
from stream_app.retrain.state_store import StateError


class UnknownVersionError(FraudstreamError):
    """Raised for a version that is not in the registry."""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in the list."""

    version: str
    aliases: tuple[str, ...]
    created_at: int
    family: str
    rows: int
    frauds: int
    figures: Mapping[str, float]
    figures_of: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The page's first part.

    Attributes
    ----------
    aliases: where each points.
    versions: the newest first.
    reigns: the newest first.
    timeline: drawn.
    release: what goes on.
    release_problem: why that is not known; None where it is.
    approvals_required, proposals: the rule of two persons, and what waits for the second.
    audit: the chain, of which reigns are made.
    """

    aliases: Mapping[str, Alias]
    versions: tuple[VersionRow, ...]
    reigns: tuple[Reign, ...]
    timeline: Timeline
    release: ReleaseView
    release_problem: str | None
    approvals_required: bool
    proposals: tuple[Proposal, ...]
    audit: AuditChain

    @property
    def champion(self) -> Alias | None:
        """The champion."""
        return self.aliases.get("champion")

    @property
    def previous(self) -> Alias | None:
        """The champion before."""
        return self.aliases.get("previous")

    @property
    def seen(self) -> int:
        """Move of the champion, 0 without one: an act is refused when it has moved meanwhile."""
        return 0 if self.champion is None else self.champion.sequence


@dataclass(frozen=True, slots=True)
class History:
    """What is known of how a version came to be."""

    steps: tuple[Step, ...]
    gate: GateView | None


class ModelsReading:
    """Reads; manifests never change and are read once. Safe to use from several threads.

    Parameters
    ----------
    registry, releases, retrains: the stores.
    audit: the chain.
    drift: drift events and retrain requests, as far as they are known.
    now_ms: wall clock.
    """

    def __init__(
        self,
        registry: Registry,
        releases: ReleaseStore,
        retrains: RetrainStore,
        audit: AuditReading,
        drift: Callable[[], list[Told]],
        now_ms: Callable[[], int],
    ) -> None:
        self._registry, self._releases, self._retrains = registry, releases, retrains
        self._audit, self._drift = audit, drift
        self._now_ms = now_ms
        self._manifests: dict[str, Manifest] = {}

    def overview(self) -> Overview:
        """Return everything but what is about one version."""
        chain, aliases = self._audit.read(whole=False), self._registry.aliases()
        found = reigns(chain.records)
        release, problem = self._release()
        return Overview(
            aliases=aliases,
            versions=tuple(self._row(version, aliases) for version in reversed(self._registry.versions())),
            reigns=tuple(reversed(found)),
            timeline=timeline(found, trials(chain.records), self._now_ms()),
            release=release,
            release_problem=problem,
            approvals_required=self._registry.approvals_required(),
            proposals=tuple(self._registry.proposals()),
            audit=chain,
        )

    def manifest(self, version: str) -> Manifest:
        """Return a manifest; raises UnknownVersionError where there is none."""
        found = self._manifests.get(version) or self._registry.find_manifest(version)
        if found is None:
            raise UnknownVersionError(f"there is no model {version!r}; the page Models lists those there are")
        self._manifests[version] = found
        return found

    def named(self, name: str) -> str:
        """Return the version that an alias stands for, or the version itself."""
        alias = self._registry.alias(name)
        return name if alias is None else alias.version

    def aliases(self) -> dict[str, Alias]:
        """Return where each alias points."""
        return self._registry.aliases()

    def history(self, version: str) -> History:
        """Return what is known of how a version came to be."""
        manifest = self.manifest(version)
        request_id = manifest.lineage.retrain_request
        report = None if request_id is None else self._retrains.report(request_id)
        steps = lineage(manifest, self._audit.read(whole=False).records, self._drift())
        return History(tuple(steps), gate_view(report, manifest.gate))

    def _release(self) -> tuple[ReleaseView, str | None]:
        """Return where the release stands; a state that another version wrote hides nothing else."""
        try:
            return ReleaseView.of(self._releases.read()), None
        except StateError as error:
            return ReleaseView.of(ReleaseState()), str(error)

    def _row(self, version: str, aliases: Mapping[str, Alias]) -> VersionRow:
        manifest = self.manifest(version)
        name = next((name for name in ("hold_out", "gate") if name in manifest.metrics), "")
        return VersionRow(
            version=version,
            aliases=tuple(sorted(name for name, alias in aliases.items() if alias.version == version)),
            created_at=manifest.created_at,
            family=manifest.family,
            rows=manifest.data.rows,
            frauds=manifest.data.frauds,
            figures=manifest.metrics[name].values if name else {},
            figures_of=name.replace("_", " "),
        )
