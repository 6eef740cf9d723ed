"""Inference: CPU per row by batch size, beside scikit-learn's predict_proba on the same kind of rows; no row twice.

A batch that is scored again and again teaches the processor its branches, and shows a third of what a row costs.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.hot_path import HotPath, batches_of, in_turn, run
from bench.workload import train_model, training_history
from models.scorer import LoadedModel
from models.signing import AllowedSigners

ROWS: Final = {1: 400, 20: 2_000, 100: 4_000, 500: 5_000, 2_000: 8_000}
"""In a round, by batch size."""
BASELINE_ROWS: Final = {1: 30, 20: 600, 100: 2_000, 500: 5_000, 2_000: 8_000}


def measure(rounds: int) -> Iterator[HotPath]:
    with tempfile.TemporaryDirectory() as folder:
        bundle, estimator = train_model(Path(folder))
        model = LoadedModel.load(bundle, AllowedSigners.in_folder(Path(folder) / "allowed-signers"))
    values, start = training_history()[1], 0
    for size in ROWS:
        rest: Any = values[start:]
        ours = batches_of(rest, size, rounds, ROWS[size] // size)
        start += rounds * ROWS[size]
        its = batches_of(rest, size, rounds, BASELINE_ROWS[size] // size)
        name = f"inference, batch of {size}"
        yield in_turn(name, model.score, ours, "predict_proba", estimator.predict_proba, its)


if __name__ == "__main__":
    run(__doc__, measure)
