"""Rows with fraud in them and a bundle fitted on such rows, small enough to be made in a moment."""

from functools import cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnx

from models.bundle import Bundle
from models.families.base import Parameter
from models.families.catalogue import family
from models.features.feature_set import DEFAULT
from models.manifest import Golden, Manifest, Thresholds, TrainingData
from models.signing import SigningKey
from models.training import golden_rows, probabilities

QUICK: dict[str, dict[str, Parameter]] = {
    "hist_gradient_boosting": {"max_iter": 25, "learning_rate": 0.2, "min_samples_leaf": 5},
    "lightgbm": {"num_iterations": 25, "min_data_in_leaf": 5},
    "logistic_regression": {"max_iter": 200},
}


def made_rows(n_rows: int, n_features: int, seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    random = np.random.default_rng(seed)
    values = random.normal(size=(n_rows, n_features)).astype(np.float32)
    values[:, 0] = random.poisson(3, n_rows)
    values[:, 1] = np.round(np.exp(random.normal(3, 1, n_rows)), 2)
    odds = values[:, 0] * 0.4 + values[:, 1] / 30 + values[:, 2] * values[:, 3] + values[:, 4]
    is_fraud = odds + random.normal(size=n_rows) > 5
    values[random.random(values.shape) < 0.05] = np.nan
    values[:, -1] = np.nan
    return values, is_fraud


@cache
def fitted(family_name: str) -> tuple[onnx.ModelProto, Golden]:
    """Fit a family on 2,000 rows, once a run."""
    kind, width = family(family_name), len(DEFAULT)
    values, is_fraud = made_rows(2000, width, seed=2)
    estimator = kind.fit(values, is_fraud, None, 3, **QUICK[family_name])
    golden = golden_rows(values, probabilities(estimator, values), seed=1)
    return kind.to_onnx(estimator, width), Golden.of(golden, probabilities(estimator, golden))


def made_bundle(key: SigningKey, family_name: str = "hist_gradient_boosting", **changes: Any) -> Bundle:
    """Sign a quickly fitted model; `changes` go into the manifest before."""
    graph, golden = fitted(family_name)
    manifest = Manifest(
        created_at=1_700_000_000_000,
        family=family_name,
        parameters=QUICK[family_name],
        seed=3,
        feature_set=DEFAULT.version,
        feature_names=list(DEFAULT.names),
        onnx_sha256="",
        data=TrainingData("made for a test", 0, 1, 2000, 100),
        code_commit="",
        metrics={},
        thresholds=Thresholds(0.5, 0.9),
        golden=golden,
    )
    return Bundle.build(msgspec.structs.replace(manifest, **changes), graph, key)
