"""What the benches score: simulated transactions, and a model of the default size trained on them."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.bundle import Bundle
from models.families.catalogue import DEFAULT_FAMILY, family
from models.features.batch import batch_features
from models.features.feature_set import DEFAULT
from models.manifest import Golden, Manifest, Thresholds, TrainingData
from models.registry import Registry
from models.signing import SigningKey
from producers.simulator.history import history
from producers.simulator.population import Population
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulation import Simulation

SEED = 7
HISTORY_DAYS = 8
FLAGGED_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class Workload:
    """Messages in event order, the first of them warm-up."""

    messages: list[tuple[bytes, bytes]]

    @classmethod
    def simulated(cls, events: int, customers: int = 6_700) -> "Workload":
        """`events` transactions of about 10,000 cards, with the base mix of fraud."""
        messages: list[tuple[bytes, bytes]] = []
        for day in _simulation(customers).days(HISTORY_DAYS, 10_000):
            messages += day.encoded()
            if len(messages) >= events:
                return cls(messages[:events])
        raise AssertionError("unreachable: the days do not end before")


def _simulation(customers: int) -> Simulation:
    settings = PopulationSettings(customers=customers, terminals=10_000, transactions_per_day=20_000)
    return Simulation(Population(settings, seed=SEED))


def promote_model(redis_url: str, prefix: str, folder: Path) -> Bundle:
    """Train the default family with its default parameters, promote it, and keep its key and signers in `folder`."""
    known = history(_simulation(6_700).days(0, HISTORY_DAYS), seed=SEED)
    values = batch_features(known, DEFAULT)
    chosen = family(DEFAULT_FAMILY)
    estimator = chosen.fit(values, known.is_fraud, None, SEED)
    graph = chosen.to_onnx(estimator, len(DEFAULT))
    scores = estimator.predict_proba(values)[:, 1].astype(np.float32)
    key = SigningKey.load_or_create(folder / "signing-key.pem")
    key.publish(folder / "allowed-signers")
    manifest = Manifest(
        created_at=time.time_ns() // 1_000_000,
        family=chosen.name,
        parameters=dict(chosen.defaults),
        seed=SEED,
        feature_set=DEFAULT.version,
        feature_names=list(DEFAULT.names),
        onnx_sha256="",
        data=TrainingData("simulated", 0, 1, len(values), int(known.is_fraud.sum())),
        code_commit="bench",
        metrics={},
        thresholds=Thresholds(review=float(np.quantile(scores, 1 - FLAGGED_SHARE))),
        golden=Golden.of(values[:48], scores[:48]),
    )
    bundle = Bundle.build(manifest, graph, key)
    registry = Registry(redis_url, prefix)
    registry.put(bundle)
    registry.promote(bundle.version, "bench", "what the benches score with")
    return bundle
