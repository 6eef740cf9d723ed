"""A model of a table's labels, for tables without scores: losses that no fit has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from models.drift.tables.labelled_table import UNKNOWN_CLASS, LabelledTable, TableError

FOLDS: Final = 5
"""Stretches of a reference; each is scored by a fit on the others, so that no row's neighbours in time are known."""
_MOST_FITTED: Final = 40_000
"""Rows that one fit sees; more take longer and change little."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a model says of rows.

    Attributes
    ----------
    score: float32[n] chance of the second of two classes; of more classes the chance of the likeliest.
    likelihood: float32[n] chance that the model gave to the label that came true; NaN where that is not known.
    """

    score: Scores
    likelihood: Scores

    @classmethod
    def of(cls, chances: Scores, label: npt.NDArray[np.int64]) -> "Scored":
        """Read the chances float32[n, classes] of rows with the given labels."""
        two = chances.shape[1] == 2  # noqa: PLR2004
        likelihood = chances[np.arange(len(label)), np.maximum(label, 0)]
        return cls(
            chances[:, 1] if two else chances.max(axis=1),
            np.where(label == UNKNOWN_CLASS, np.float32(np.nan), likelihood),
        )

    def take(self, rows: slice) -> "Scored":
        """Return some of the rows."""
        return Scored(self.score[rows], self.likelihood[rows])


class TableModel:
    """Boosted trees, fitted on some rows of a table.

    Parameters
    ----------
    table: holds all rows.
    rows: places of those to fit.
    seed: of the fit.
    """

    def __init__(self, table: LabelledTable, rows: npt.NDArray[np.int64], seed: int) -> None:
        known = rows[table.label[rows] != UNKNOWN_CLASS]
        known = known[:: 1 + len(known) // _MOST_FITTED]
        if len(np.unique(table.label[known])) < 2:  # noqa: PLR2004
            raise TableError(
                f"{len(known)} rows of a reference hold one class of labels only, so no model can be fitted: "
                "give a longer --reference"
            )
        self._classes = len(table.classes)
        # Shallow trees and few of them: the losses are compared with the model's own, and seconds count.
        self._estimator = HistGradientBoostingClassifier(
            max_iter=80, learning_rate=0.08, max_leaf_nodes=15, l2_regularization=1.0, early_stopping=False,
            random_state=seed,
        )  # fmt: skip
        self._estimator.fit(_fittable(table.values[known]), table.label[known])

    def chances(self, values: npt.NDArray[np.float32]) -> Scores:
        """Return the chance of each class, float32[n, classes]; 0 for those that the fit has not seen."""
        out = np.zeros((len(values), self._classes), np.float32)
        out[:, self._estimator.classes_] = self._estimator.predict_proba(values)
        return out


def score_out_of_sample(table: LabelledTable, rows: slice, seed: int) -> Scored:
    """Score the rows of a reference, each stretch of time by a fit on the others."""
    places = np.arange(rows.start, rows.stop)
    stretches: Sequence[npt.NDArray[Any]] = np.array_split(places, FOLDS)
    chances = [
        TableModel(table, np.setdiff1d(places, stretch, assume_unique=True), seed).chances(table.values[stretch])
        for stretch in stretches
    ]
    return Scored.of(np.concatenate(chances), table.label[rows])


def given_scores(table: LabelledTable) -> Scored:
    """Return the scores that came with the table."""
    assert table.score is not None
    return Scored.of(np.column_stack((1.0 - table.score, table.score)), table.label)


def _fittable(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Put zero into features that no row knows: scikit-learn cannot bin those."""
    unknown = np.isnan(values).all(axis=0)
    return np.where(unknown, np.float32(0.0), values) if unknown.any() else values
