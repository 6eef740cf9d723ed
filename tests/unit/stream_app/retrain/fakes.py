"""What a retrain worker works with, in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from models.alias import Alias
from models.bundle import Bundle
from models.gate.check import Check, Verdict
from models.gate.report import GateReport
from models.manifest import Manifest
from models.metrics.pairing import Pairing
from models.registry import RegistryError
from models.release.release import ReleaseError
from models.retraining.choice import Choice
from models.retraining.recipe import FitRecipe
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.retrain.job import RetrainState
from stream_app.retrain.report import RetrainReport
from stream_app.retrain.state_store import StateConflictError
from stream_app.retrain.training_order import BundleParts, TrainingOrder, TrainingOutcome

DAY = 17_600
TABLES = {"scores": 3, "labels": 2}
PAIRING = Pairing(
    rows=10, rank_correlation=0.5, top_overlap=0.5, flipped=0.0, flipped_value=0.0, champion_alert_rate=0.1,
    candidate_alert_rate=0.1,
)  # fmt: skip


def request(request_id: str = "q1", **changes: Any) -> RetrainRequest:
    told: dict[str, Any] = {
        "cause": "drift", "incident": "i1", "number": 1, "model_version": "m-1", "as_of": DAY * DAY_MS,
        "changed_at": (DAY - 20) * DAY_MS, "frauds_since_change": 30, "reason": "a test", "actor": "watch/drift",
        "table_versions": TABLES,
    }  # fmt: skip
    return RetrainRequest(request_id=request_id, **(told | changes))


def outcome(verdict: Verdict, bundle: Bundle | None = None) -> TrainingOutcome:
    check = Check(name="average_precision", verdict=verdict, figure=0.1, unit="", sentence=f"it is a {verdict}")
    gate = GateReport(
        verdict=verdict, cause="drift", changed_at=None, rows=100, frauds=9, deciding_frauds=9, from_event_time=0,
        to_event_time=1, standard_error=None, smallest_detectable_difference=None, checks=[check],
        expected_pairing=PAIRING, seed=1, resamples=2,
    )  # fmt: skip
    parts = None if bundle is None else BundleParts.of(bundle)
    return TrainingOutcome(choice=Choice(FitRecipe(), "it is the first"), gate=gate, bundle=parts, training_s=1.0)


@dataclass
class FakeMessage:
    """A message of a topic."""

    at: int
    content: bytes | None

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes:
        return b"i1"

    def value(self) -> bytes | None:
        return self.content

    def headers(self) -> list[tuple[str, bytes]]:
        return []


class FakeStore:
    """Keeps what is written, as bytes, and can be gone for a while."""

    def __init__(self) -> None:
        self.state = msgspec.json.encode(RetrainState())
        self.reports: dict[str, bytes] = {}
        self.outcomes: dict[str, TrainingOutcome] = {}

    def read(self) -> RetrainState:
        return msgspec.json.decode(self.state, type=RetrainState)

    def report(self, request_id: str) -> RetrainReport | None:
        content = self.reports.get(request_id)
        return None if content is None else msgspec.json.decode(content, type=RetrainReport)

    def outcome(self, request_id: str) -> TrainingOutcome | None:
        return self.outcomes.get(request_id)

    def write(self, state: RetrainState, reports: Any = None, outcomes: Any = None) -> RetrainState:
        if state.revision != msgspec.json.decode(self.state, type=RetrainState).revision:
            raise StateConflictError("somebody else has written")
        written = msgspec.structs.replace(state, revision=state.revision + 1)
        self.state = msgspec.json.encode(written)
        self.reports |= {name: msgspec.json.encode(report) for name, report in (reports or {}).items()}
        for name, one in (outcomes or {}).items():
            self.outcomes.pop(name, None)
            if one is not None:
                self.outcomes[name] = one
        return written

    def answers(self) -> bool:
        return True


@dataclass
class FakeRequests:
    """A topic, read by whoever is there."""

    log: list[bytes | None] = field(default_factory=list)
    next_offset: int = 0
    position: int = 0

    def ask(self, *requests: RetrainRequest) -> None:
        self.log += [wire.encode(one) for one in requests]

    def read(self, timeout_s: float) -> Any:
        found = [FakeMessage(at, self.log[at]) for at in range(self.next_offset, len(self.log))]
        self.next_offset = len(self.log)
        return found

    def commit(self, offset: int) -> None:
        self.position = offset


@dataclass
class FakeCommits:
    """What the archive has announced last."""

    commit: ArchiveCommit | None = None

    def newest(self) -> ArchiveCommit | None:
        return self.commit

    def close_day(self, day: int) -> None:
        self.commit = ArchiveCommit({"scores": day, "labels": day}, {}, (day + 1) * DAY_MS, 1_764_000_000_000)


@dataclass
class FakeTrainer:
    """Gives the outcomes in their order, each a look after its order came."""

    outcomes: list[TrainingOutcome] = field(default_factory=list)
    orders: list[TrainingOrder] = field(default_factory=list)
    order: TrainingOrder | None = None
    slow: int = 1

    def start(self, order: TrainingOrder) -> None:
        self.order, self._looks = order, 0
        self.orders.append(order)

    def outcome(self) -> TrainingOutcome | None:
        self._looks += 1
        if self._looks <= self.slow:
            return None
        self.order = None
        return self.outcomes.pop(0)


@dataclass
class DeterminedTrainer(FakeTrainer):
    """The same order gives the same outcome, however often it is given; `began` is called with each order."""

    by_champion: dict[str, TrainingOutcome] = field(default_factory=dict)
    began: Callable[[], object] = lambda: None

    def start(self, order: TrainingOrder) -> None:
        super().start(order)
        self.outcomes = [self.by_champion[order.champion.whole().version]]
        self.began()


@dataclass
class FakeModels:
    """A registry with one champion."""

    bundles: dict[str, Bundle]
    champion: str | None

    def alias(self, name: str) -> Alias | None:
        if self.champion is None:
            return None
        return Alias(name=name, version=self.champion, sequence=1, actor="ada", reason="first", at=0)

    def get(self, version: str) -> Bundle:
        if version not in self.bundles:
            raise RegistryError(f"no model {version!r}")
        return self.bundles[version]

    def manifests(self) -> list[Manifest]:
        return [bundle.manifest for bundle in self.bundles.values()]

    def put(self, bundle: Bundle) -> str:
        self.bundles[bundle.version] = bundle
        return bundle.version


@dataclass
class FakeReleases:
    """Takes what is offered, unless it is frozen."""

    offered: list[tuple[str, str | None, Pairing | None]] = field(default_factory=list)
    frozen: bool = False

    def offer(self, version: str, request: RetrainRequest | None = None, pairing: Pairing | None = None) -> object:
        if self.frozen:
            raise ReleaseError(f"{version} is not released: promotion is frozen")
        offer = (version, None if request is None else request.request_id, pairing)
        if offer not in self.offered:
            self.offered.append(offer)
        return None


@dataclass
class FakeGraveyard:
    """Keeps dead letters."""

    letters: list[tuple[int, bytes | None, str]] = field(default_factory=list)

    def bury(self, offset: int, key: bytes | None, value: bytes | None, reason: str) -> None:
        self.letters.append((offset, value, reason))
