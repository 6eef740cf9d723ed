"""The first model, from the bank's past; and a bad one that somebody pushes by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from models.bundle import Bundle
from models.families.graph import OUTPUT
from models.features.batch import batch_features
from models.features.feature_set import DEFAULT
from models.features.history import History
from models.manifest import Lineage, Manifest
from models.registry import CHAMPION, Registry
from models.signing import SigningKey
from models.training import DAY_MS, Provenance, Recipe, train
from models.training_rows import TrainingRows, mature_rows
from stream_app.demo.plan import FILLED_DAYS, MATURITY_DAYS, DemoPlan
from stream_app.retrain.making import InvertedMaking, SimulatedMaking, fit_of, fitting_threads, in_manifest

ACTOR = "fraudstream demo"
_UPRIGHT: Final = "upright"
_ONE: Final = "one"
_SOURCE: Final = "simulated bank"
_THREADS: Final = 1
"""On cores that Kafka and the workers use too, two wait for one another. On two busy cores, 126,000 rows and 30 trees
took 8 s with one and more than 75 s with two."""


class Releases:
    """Trains models on a bank's past, registers them and makes them champion.

    Parameters
    ----------
    registry
        Where models and aliases live.
    folder
        Data folder of the workers: the signing key goes there, its public half among the allowed signers.
    plan
        How many days there are, and how big a model is.
    provenance
        Code and time of the training.
    """

    def __init__(self, registry: Registry, folder: Path, plan: DemoPlan, provenance: Provenance) -> None:
        self._registry = registry
        self._plan = plan
        self._provenance = provenance
        self._key = SigningKey.load_or_create(folder / "signing-key.pem")
        self._key.publish(folder / "allowed-signers")
        self._past: tuple[History, npt.NDArray[np.float32], int] | None = None

    def learn(self, past: History, start_ms: int) -> None:
        """Compute the features of a past that began with day 0."""
        self._past = past, batch_features(past, DEFAULT), start_ms

    def train(self) -> Manifest:
        """Fit on all that is mature today, with what it is used to, so that drift can be told; register."""
        with fitting_threads(_THREADS):
            recipe = Recipe(parameters=self._plan.fit, seed=self._plan.seed, policy=self._plan.policy)
            provenance = replace(self._provenance, making=self._making(recipe))
            bundle = train(self._rows(), recipe, provenance, self._key)
        self._registry.put(bundle)
        return bundle.manifest

    def spoil(self) -> Manifest:
        """Register a model that scores the other way round than the champion, in order in every other respect."""
        champion = self._registry.alias(CHAMPION)
        assert champion is not None, "the first model is promoted before one is spoilt"
        bundle = inverted(self._registry.get(champion.version), self._key)
        self._registry.put(bundle)
        return bundle.manifest

    def promote(self, version: str, reason: str) -> None:
        """Make a version champion, as a person would."""
        self._registry.promote(version, ACTOR, reason)

    def _rows(self) -> TrainingRows:
        if self._past is None:
            raise AssertionError("learn comes before train")
        past, values, start_ms = self._past
        return mature_rows(
            past,
            values,
            from_day=FILLED_DAYS,
            as_of=start_ms + self._plan.history_days * DAY_MS,
            maturity_ms=MATURITY_DAYS * DAY_MS,
            source=_SOURCE,
        )

    def _making(self, recipe: Recipe) -> dict[str, Any]:
        assert self._past is not None, "learn comes before train"
        plan = self._plan
        return in_manifest(
            SimulatedMaking(
                customers=plan.customers,
                terminals=plan.terminals,
                transactions_per_day=plan.transactions_per_day,
                days=plan.history_days,
                seed=plan.seed,
                source=_SOURCE,
                from_day=FILLED_DAYS,
                as_of=self._past[2] + plan.history_days * DAY_MS,
                maturity_ms=MATURITY_DAYS * DAY_MS,
                threads=_THREADS,
                **fit_of(recipe),
            )
        )


def inverted(good: Bundle, key: SigningKey) -> Bundle:
    """Return a signed bundle that answers 1 - score and says so in its golden vectors: nothing else is wrong."""
    graph = onnx.load_model_from_string(good.onnx)
    for node in graph.graph.node:
        node.output[:] = [_UPRIGHT if name == OUTPUT else name for name in node.output]
    graph.graph.initializer.append(numpy_helper.from_array(np.ones(1, np.float32), _ONE))
    graph.graph.node.append(helper.make_node("Sub", [_ONE, _UPRIGHT], [OUTPUT]))
    manifest = good.manifest
    golden = msgspec.structs.replace(manifest.golden, scores=[1.0 - score for score in manifest.golden.scores])
    making = in_manifest(InvertedMaking(of=good.version))
    spoilt = msgspec.structs.replace(
        manifest, golden=golden, lineage=Lineage(parent=good.version), recipe=None, gate=None, making=making
    )
    return Bundle.build(spoilt, graph, key)
