"""What the benches score: simulated transactions, and a model of the default size trained on them."""

import pickle
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.bundle import Bundle
from models.drift.reference import DriftReference, build_reference
from models.families.base import Estimator
from models.families.catalogue import DEFAULT_FAMILY, family
from models.features.batch import batch_features
from models.features.feature_set import DEFAULT
from models.features.history import History
from models.manifest import Golden, Manifest, Thresholds, TrainingData
from models.metrics.scored_rows import ScoredRows
from models.model_cache import LocalModelCache
from models.out_of_sample import in_manifest
from models.registry import Registry
from models.schema import wire
from models.schema.label import Label
from models.signing import SigningKey
from producers.simulator.history import history
from producers.simulator.population import Population
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulation import Simulation
from producers.simulator.statements import statements

SEED = 7
HISTORY_DAYS = 8
REFERENCE_DAYS = 14
"""The fewest that a drift reference can be made of."""
FLAGGED_SHARE = 0.005
CUSTOMERS = 6_700
"""They have about 10,000 cards."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Messages in event order, the first of them warm-up.

    Attributes
    ----------
    messages: key and value of each.
    event_time: int64[n] ms.
    labels: key and value of what is said of them until the last of them, in the order in which it is said.
    labels_before: [n + 1] how many labels have been stated before each message; behind the last, all of them.
    """

    messages: list[tuple[bytes, bytes]]
    event_time: npt.NDArray[np.int64]
    labels: list[tuple[bytes, bytes]]
    labels_before: npt.NDArray[np.int64]

    @classmethod
    def simulated(cls, events: int, customers: int = CUSTOMERS) -> "Workload":
        """`events` transactions of about 10,000 cards, with the base mix of fraud."""
        messages: list[tuple[bytes, bytes]] = []
        times, said = [], list[Label]()
        for day in _simulation(customers).days(HISTORY_DAYS, 10_000):
            messages += day.encoded()
            times.append(day.event_time)
            said += statements(day, SEED)
            if len(messages) >= events:
                return cls._of(messages[:events], np.concatenate(times)[:events], said)
        raise AssertionError("unreachable: the days do not end before")

    def of_others(self, count: int) -> list[tuple[bytes, bytes]]:
        """Return the first messages as if other cards had sent them: they warm a worker up and touch no card's past."""
        return [
            (b"x" + key, value.replace(b'"card_id":"' + key, b'"card_id":"x' + key, 1))
            for key, value in self.messages[:count]
        ]

    @classmethod
    def _of(
        cls, messages: list[tuple[bytes, bytes]], event_time: npt.NDArray[np.int64], said: list[Label]
    ) -> "Workload":
        stated = sorted((one for one in said if one.labelled_at < event_time[-1]), key=lambda one: one.labelled_at)
        before = np.searchsorted([one.labelled_at for one in stated], event_time)
        labels = [(one.card_id.encode("ascii"), wire.encode(one)) for one in stated]
        return cls(messages, event_time, labels, np.append(before, len(labels)))


def _simulation(customers: int) -> Simulation:
    settings = PopulationSettings(customers=customers, terminals=10_000, transactions_per_day=20_000)
    return Simulation(Population(settings, seed=SEED))


@cache
def training_history() -> tuple[History, npt.NDArray[np.float32]]:
    """What the models of the benches learn from: eight days, and their feature rows."""
    known = history(_simulation(CUSTOMERS).days(0, HISTORY_DAYS), seed=SEED)
    return known, batch_features(known, DEFAULT)


def train_model(
    folder: Path,
    flagged_of: npt.NDArray[np.float32] | None = None,
    *,
    watched: bool = False,
    learning_rate: float = 0.05,
) -> tuple[Bundle, Estimator]:
    """Train the default family with its default size, and keep its key and signers in `folder`.

    A share of the rows `flagged_of` [n, F] will be flagged; None takes those that it learns from.

    With `watched` it carries a drift reference. That costs seconds and is of no worth beyond the work it gives a watch:
    the windows of its days have not filled, and the model has seen half of them. Another learning rate makes another
    model of the same size.
    """
    known, values = training_history()
    chosen = family(DEFAULT_FAMILY)
    estimator = chosen.fit(values, known.is_fraud, None, SEED, learning_rate=learning_rate)
    scores = estimator.predict_proba(values)[:, 1].astype(np.float32)
    compared = scores if flagged_of is None else estimator.predict_proba(flagged_of)[:, 1]
    key = SigningKey.load_or_create(folder / "signing-key.pem")
    key.publish(folder / "allowed-signers")
    manifest = Manifest(
        created_at=time.time_ns() // 1_000_000,
        family=chosen.name,
        parameters={**chosen.defaults, "learning_rate": learning_rate},
        seed=SEED,
        feature_set=DEFAULT.version,
        feature_names=list(DEFAULT.names),
        onnx_sha256="",
        data=TrainingData("simulated", 0, 1, len(values), int(known.is_fraud.sum())),
        code_commit="bench",
        metrics={},
        thresholds=Thresholds(review=float(np.quantile(compared, 1 - FLAGGED_SHARE))),
        golden=Golden.of(values[:48], scores[:48]),
        reference=in_manifest(_reference(estimator)) if watched else None,
    )
    return Bundle.build(manifest, chosen.to_onnx(estimator, len(DEFAULT)), key), estimator


def promote_model(
    redis_url: str,
    prefix: str,
    folder: Path,
    flagged_of: npt.NDArray[np.float32] | None = None,
    *,
    watched: bool = False,
) -> Bundle:
    """Train the model that the benches score with, promote it, and lay it into `folder` for those without Redis."""
    bundle, estimator = train_model(folder, flagged_of, watched=watched)
    registry = Registry(redis_url, prefix)
    registry.put(bundle)
    alias = registry.promote(bundle.version, "bench", "what the benches score with")
    LocalModelCache(folder / "model").store(bundle, alias)
    (folder / "estimator.pickle").write_bytes(pickle.dumps(estimator))
    return bundle


def _reference(estimator: Estimator) -> DriftReference:
    known = history(_simulation(CUSTOMERS).days(0, REFERENCE_DAYS), seed=SEED)
    columns, values, rows = known.columns, batch_features(known, DEFAULT), len(known)
    scored = ScoredRows(
        event_time=columns.event_time,
        transaction=columns.transaction,
        card=columns.card,
        terminal=columns.terminal,
        amount_minor=columns.amount,
        score=estimator.predict_proba(values)[:, 1].astype(np.float32),
        decision=np.zeros(rows, np.uint8),
        control=np.zeros(rows, np.bool_),
        pass_probability=np.ones(rows, np.float32),
        values=values,
        is_fraud=known.is_fraud,
        stated_at=known.labelled_at,
        label_source=np.zeros(rows, np.uint8),
        latency_ms=np.full(rows, np.nan, np.float32),
        model_version="",
        as_of=int(columns.event_time[-1]),
    )
    codes = [feature.name for feature in DEFAULT.features if feature.unit == "code"]
    return build_reference(scored, DEFAULT.names, codes, "what the benches score with", seed=SEED)
