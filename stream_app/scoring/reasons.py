"""Why a row was flagged: the features that raised its score most, by the model that decided it."""

import math

import numpy as np
from numpy.typing import NDArray

from models.features.feature_set import FeatureSet
from models.schema.score import ReasonCode
from models.scorer import LoadedModel
from stream_app.scoring.batch_scores import BatchScores, ModelFailure, reason_of
from stream_app.scoring.lineup import Lineup


class Reasons:
    """Reason codes of flagged rows.

    Parameters
    ----------
    feature_set:
        Whose names they speak of.
    most:
        Codes on one row.
    """

    def __init__(self, feature_set: FeatureSet, most: int) -> None:
        self._names = feature_set.names
        self._codes = [feature.name.upper() for feature in feature_set.features]
        self._most = most

    def of(
        self, said: BatchScores, lineup: Lineup, decision: NDArray[np.uint8], values: NDArray[np.float32]
    ) -> tuple[dict[int, list[ReasonCode]], list[ModelFailure]]:
        """The codes by row, and the models beside the champion that failed at them: their rows have none.

        Parameters
        ----------
        said:
            Who decided which rows.
        lineup:
            Where the deciders come from.
        decision:
            uint8[n] as published.
        values:
            float32 [n, features].
        """
        reasons: dict[int, list[ReasonCode]] = {}
        failures = []
        for model, _, rows in said.deciders:
            flagged = np.flatnonzero(decision if rows is None else np.where(rows, decision, 0))
            if not len(flagged):
                continue
            try:
                reasons |= self._of_rows(model, flagged, values)
            except Exception as error:
                if model is lineup.champion:
                    raise
                part = lineup.part_of(model.version)
                failures.append(ModelFailure(model.version, part, f"no reasons: {reason_of(error)}"))
        return reasons, failures

    def _of_rows(
        self, model: LoadedModel, rows: NDArray[np.intp], values: NDArray[np.float32]
    ) -> dict[int, list[ReasonCode]]:
        flagged = values[rows]
        return {
            row: [
                ReasonCode(self._codes[index], self._names[index], _finite(of_row[index]), round(contribution, 4))
                for index, contribution in contributions
            ]
            for row, of_row, contributions in zip(
                rows.tolist(), flagged.tolist(), model.explain(flagged, top=self._most), strict=True
            )
        }


def _finite(value: float) -> float:
    """A value JSON can carry: an absent feature value reads 0."""
    return round(value, 6) if math.isfinite(value) else 0.0
