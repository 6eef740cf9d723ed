"""Training: CPU per row to fit the default family with weights, beside scikit-learn's own way to fit the same trees.

Weights make scikit-learn take a weighted percentile of all rows for each limit of a bin; the family lets them count in
the trees alone.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from bench.hot_path import HotPath, in_turn, run
from bench.workload import SEED, training_history
from models.families.catalogue import DEFAULT_FAMILY, family

ROWS: Final = 10_000
MOST_ROUNDS: Final = 3
"""The baseline takes seconds."""

Part = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float64]]


def measure(rounds: int) -> Iterator[HotPath]:
    known, values = training_history()
    chosen = family(DEFAULT_FAMILY)

    def part(number: int) -> Part:
        rows = slice(number * ROWS, (number + 1) * ROWS)
        return values[rows], known.is_fraud[rows], np.linspace(0.5, 1.0, ROWS)

    def fit(rows: Part) -> object:
        return chosen.fit(*rows, SEED)

    def fit_plainly(rows: Part) -> object:
        estimator = HistGradientBoostingClassifier(early_stopping=False, random_state=SEED, **chosen.defaults)
        return estimator.fit(rows[0], rows[1], sample_weight=rows[2])

    parts = [[part(number)] for number in range(min(rounds, MOST_ROUNDS))]
    yield in_turn(
        "training", fit, parts, "scikit-learn's bins", fit_plainly, parts, events=lambda rows: len(rows[0]), event="row"
    )


if __name__ == "__main__":
    run(__doc__, measure)
