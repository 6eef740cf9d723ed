"""What a retrain learns and judges from: mature rows, and the scores that decided on them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.scorer import LoadedModel
from models.training_rows import TrainingRows


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Mature rows with what the gate needs beside.

    Attributes
    ----------
    rows: approved ones, and declines that were stated or let pass as control rows, weighted by 1 / their chance.
    amount_minor: int64[n] of the reporting currency.
    live: float32[n] score that decided on the row when it came, NaN where none is known. No model that decided on a row
        had seen its label.
    """

    rows: TrainingRows
    amount_minor: npt.NDArray[np.int64]
    live: npt.NDArray[np.float32]

    def champion_scores(self, champion: LoadedModel, changed_at: int | None, since: int) -> npt.NDArray[np.float32]:
        """Return out-of-sample scores of the champion, float32[n], NaN on rows that it cannot be judged by.

        On rows younger than its training rows it is the champion itself. On older ones from before the change it is
        the live score, whoever's it was: "no worse on the old fraud" then means no worse than what was there.

        Parameters
        ----------
        changed_at: event time of the incident's change, ms; None without one.
        since: event time of the first row that is looked at, ms.
        """
        times = self.rows.event_time
        unseen = (times > champion.manifest.data.to_event_time) & (times >= since)
        scores = np.full(len(times), np.nan, np.float32)
        if unseen.any():
            scores[unseen] = champion.score(self.rows.values[unseen])
        if changed_at is not None:
            before = ~unseen & (times < changed_at) & (times >= since)
            scores[before] = self.live[before]
        return scores


def control_weights(
    declined: npt.NDArray[np.bool_], pass_probability: npt.NDArray[np.float32], largest: float
) -> npt.NDArray[np.float64] | None:
    """Return how many rows each one stands for, float64[n]; None when each stands for itself.

    Parameters
    ----------
    declined: bool[n] rows that were declined and stated all the same: they stand for themselves.
    pass_probability: float32[n] chance of the row to pass; 1 where nothing would have stopped it.
    largest: weight that none exceeds, so that no single row decides a fit.
    """
    if not np.any(pass_probability[~declined] < 1):
        return None
    chance = np.where(declined, 1.0, np.maximum(pass_probability.astype(np.float64), 1.0 / largest))
    return np.asarray(1.0 / chance)
