"""Models for the stream: one to begin with, and one before each test week, trained on what was recorded."""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.bundle import Bundle
from models.families.base import Family
from models.families.graph import INPUT, OUTPUT
from models.features.feature_set import FeatureSet
from models.manifest import Golden, Manifest, Thresholds, TrainingData
from models.registry import Registry
from models.scorer import LoadedModel
from models.signing import AllowedSigners, SigningKey

ACTOR = "fraudstream evaluate"
_GOLDEN_ROWS = 8
_REVIEWED = Thresholds(review=1.0)
"""Nothing is declined, as in the handbook's data, and next to nothing explained: no figure depends on reason codes."""


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Rows to train on.

    Attributes
    ----------
    values: float32[n, F].
    is_fraud: bool[n], what labels said by then.
    event_time: int64[n] ms.
    description: which rows these are.
    """

    values: npt.NDArray[np.float32]
    is_fraud: npt.NDArray[np.bool_]
    event_time: npt.NDArray[np.int64]
    description: str


class Releases:
    """Trains a model, registers it and makes it champion.

    Parameters
    ----------
    registry: where models go.
    key: signs them.
    feature_set: what the columns are.
    seed: of the fit.
    """

    def __init__(self, registry: Registry, key: SigningKey, feature_set: FeatureSet, seed: int) -> None:
        self._registry = registry
        self._key = key
        self._feature_set = feature_set
        self._seed = seed

    def release(self, family: Family, rows: TrainingRows, reason: str, **parameters: float) -> LoadedModel:
        """Train on all rows, promote, and return the model as the worker loads it."""
        estimator = family.fit(rows.values, rows.is_fraud, None, self._seed, **parameters)
        graph = family.to_onnx(estimator, len(self._feature_set))
        content = graph.SerializeToString()
        golden = rows.values[:: max(1, len(rows.values) // _GOLDEN_ROWS)][:_GOLDEN_ROWS]
        session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
        scores = session.run([OUTPUT], {INPUT: np.ascontiguousarray(golden)})[0].reshape(-1)
        manifest = Manifest(
            created_at=time.time_ns() // 1_000_000,
            family=family.name,
            parameters={**family.defaults, **parameters},
            seed=self._seed,
            feature_set=self._feature_set.version,
            feature_names=list(self._feature_set.names),
            onnx_sha256="",
            data=TrainingData(
                description=rows.description,
                from_event_time=int(rows.event_time.min()),
                to_event_time=int(rows.event_time.max()),
                rows=len(rows.values),
                frauds=int(rows.is_fraud.sum()),
            ),
            code_commit="",
            metrics={},
            thresholds=_REVIEWED,
            golden=Golden.of(golden, scores),
        )
        bundle = Bundle.build(manifest, graph, self._key)
        self._registry.put(bundle)
        self._registry.promote(bundle.version, ACTOR, reason)
        return LoadedModel.load(bundle, AllowedSigners.of([self._key.public_key]))
