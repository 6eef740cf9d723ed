"""Explaining: CPU for the exact Shapley values and reasons of a flagged transaction, beside shap's TreeExplainer."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import shap

from bench.hot_path import HotPath, batches_of, in_turn, run
from bench.workload import train_model, training_history
from models.scorer import LoadedModel
from models.signing import AllowedSigners

SIZES: Final = (1, 10)
BATCHES: Final = 10


def measure(rounds: int) -> Iterator[HotPath]:
    with tempfile.TemporaryDirectory() as folder:
        bundle, estimator = train_model(Path(folder))
        model = LoadedModel.load(bundle, AllowedSigners.in_folder(Path(folder) / "allowed-signers"))
    reference = shap.TreeExplainer(estimator)
    values = training_history()[1]
    flagged: Any = values[np.argsort(-model.score(values), kind="stable")]
    for size in SIZES:
        batches = batches_of(flagged, size, rounds, BATCHES)
        yield in_turn(
            f"explain, {size} at once",
            model.explain,
            batches,
            "shap",
            reference.shap_values,
            batches,
            event="flagged one",
        )


if __name__ == "__main__":
    run(__doc__, measure)
